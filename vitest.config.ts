import { defineConfig, type Plugin } from 'vitest/config';

/** Lua files are imported as their text, as esbuild does for the functions that ship. */
const luaAsText: Plugin = {
  name: 'lua-as-text',
  transform: (code, id) => (id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)};`, map: null } : null),
};

export default defineConfig({
  plugins: [luaAsText],
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
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
