import { defineConfig, type Plugin } from 'vitest/config';

/** Lua files are imported as their text, as esbuild does for the functions that ship. */
const luaAsText: Plugin = {
  name: 'lua-as-text',
  transform: (code, id) => (id.endsWith('.lua') ? { code: `export default ${JSON.stringify(code)};`, map: null } : null),
};

export default defineConfig({
  plugins: [luaAsText],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that leaves something running must not hang the run.
    teardownTimeout: 10_000,
  },
});
