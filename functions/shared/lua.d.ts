/** A Lua file is imported as its text (esbuild and vitest agree on it). */
declare module '*.lua' {
  const source: string;
  export default source;
}
