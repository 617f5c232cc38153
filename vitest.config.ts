import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

/** Lua files are imported as their text, as esbuild does for the functions that ship. */
const luaAsText: Plugin = {
  name: 'lua-as-text',
  transform: (code, id) => (id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)};`, map: null } : null),
};

/** What esbuild imports `with { type: 'text' }`: the files of the page at /docs. Their names end otherwise here, or they would be taken for styles. */
const textPrefix = '\0text:';
const pageAsText: Plugin = {
  name: 'page-as-text',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !/^swagger-ui-dist\/|^\.\/page\//.test(source)) return null;
    return `${textPrefix}${source.startsWith('.') ? resolve(dirname(importer), source) : resolve('node_modules', source)}.text`;
  },
  load: (id) =>
    id.startsWith(textPrefix)
      ? `export default ${JSON.stringify(readFileSync(id.slice(textPrefix.length, -'.text'.length), 'utf8'))};`
      : null,
};

export default defineConfig({
  plugins: [luaAsText, pageAsText],
  test: {
    // Two files at a time: much of what a test does is to wait for others. Fewer cores are shared in the same way.
    maxWorkers: 2,
    // Bounds for what hangs, many times what anything takes: a machine that is busy is no fault.
    testTimeout: 180_000,
    // Some hooks synthesise the app, bundles included, on a machine that is busy with the other tests.
    hookTimeout: 360_000,
    expect: { poll: { timeout: 30_000 } },
    // A test that leaves something running must not hang the run.
    teardownTimeout: 10_000,
    projects: [
      { extends: true, test: { name: 'parts', include: ['test/**/*.test.ts'], exclude: ['test/acceptance/**'] } },
      {
        extends: true,
        // One runtime, synthesised once, for all of them; each test brings sales and buyers of its own.
        test: { name: 'acceptance', include: ['test/acceptance/**/*.test.ts'], globalSetup: ['test/support/runtime.ts'] },
      },
    ],
  },
});
