import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface TemplateFile {
  readonly Resources?: Record<
    string,
    { Type: string; Properties?: { Environment?: { Variables?: Record<string, unknown> } & Record<string, unknown> } }
  >;
}

/** Gives every function of a synthesised assembly a clock that follows the plan in the file `clocks`: by its environment, and in no line of its code. */
export async function skewAssembly(directory: string, clocks: string): Promise<void> {
  const preload = new URL('skewed-clock.ts', import.meta.url);
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.template.json')) continue;
    const path = join(directory, name);
    const template = JSON.parse(await readFile(path, 'utf8')) as TemplateFile;
    for (const { Type, Properties } of Object.values(template.Resources ?? {})) {
      const variables = Properties?.Environment?.Variables;
      if (Type !== 'AWS::Lambda::Function' || !variables) continue;
      variables.NODE_OPTIONS = [variables.NODE_OPTIONS, `--import=${quoted(preload)}`].filter(Boolean).join(' ');
      variables.CHAOS_CLOCKS = clocks;
    }
    await writeFile(path, JSON.stringify(template));
  }
}

/** A path with spaces stays one option. */
const quoted = (url: URL): string => (/\s/.test(fileURLToPath(url)) ? `"${url.href}"` : url.href);
