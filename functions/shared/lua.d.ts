/** A Lua file is imported as its text (esbuild, vitest and `bin/lua-loader.mjs` agree on it). */
declare module '*.lua' {
  const source: string;
  export default source;
}
