import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// `npm run instructions`: a Lua file is its text, as in the functions that ship; whatever imports one comes after this.

registerHooks({
  load: (url, context, next) =>
    url.endsWith('.lua')
      ? { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(readFileSync(fileURLToPath(url), 'utf8'))};` }
      : next(url, context),
});

const { main } = await import('./instructions/main.ts');
process.exitCode = await main(process.argv.slice(2));
