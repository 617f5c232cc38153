import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { type BuildOptions, buildSync, type OutputFile } from 'esbuild';

/** The names of what a bundle is given in place of the runtime's own globals, in the order of the wrapper's parameters. */
export const givenNames = [
  ...['require', 'module', 'exports', 'globalThis', 'global', 'process', 'console', 'Date', 'Math', 'performance', 'crypto', 'AbortSignal'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'fetch', 'WebSocket', 'EventSource'],
  ...['namespaceOf'],
] as const;

export type Given = Readonly<Record<(typeof givenNames)[number], unknown>>;

/** Runs a bundle's code once, with these in place of the globals. */
export type Evaluate = (...given: readonly unknown[]) => void;

/** One function's code, compiled once. */
export interface Bundle {
  /** `orders/place` for functions/orders/place.handler.ts. */
  readonly functionName: string;
  readonly evaluate: Evaluate;
}

/** The code of all functions of one tree. */
export interface Bundles {
  /** Sorted. */
  readonly functionNames: readonly string[];
  /** Throws `UnknownFunction`. */
  of(functionName: string): Bundle;
  /** A stack trace in terms of the sources. */
  readable(stack: string): string;
  /** What scripts are called, by the SHA-1 digest that EVALSHA names them with. */
  readonly scriptNames: ReadonlyMap<string, string>;
  /** Requires a package as the functions of this tree find it. */
  readonly require: NodeJS.Require;
}

export class UnknownFunction extends Error {
  override readonly name = 'UnknownFunction';
}

/** Packages that are required and not bundled: those that are replaced, and large ones that reach for nothing outside. */
const externals = ['@aws-sdk/*', 'ioredis', 'zod', 'zod-openapi', 'graphql'];

const projectDirectory = fileURLToPath(new URL('../../../', import.meta.url));
const codePrefix = 'simulated:';

const howToBundle = (root: string) =>
  ({
    absWorkingDir: root,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: externals,
    mainFields: ['module', 'main'],
    loader: { '.lua': 'text' },
    logLevel: 'error',
    // A tree without packages of its own (a patched copy) uses this project's.
    nodePaths: [join(projectDirectory, 'node_modules')],
  }) satisfies BuildOptions;

/**
 * Bundles every handler under `root` in one esbuild run. What is bundled differs from what deploys in its form alone (CommonJS, not minified), so that
 * its `require` and its globals can be given to it.
 */
export function bundleHandlers(root = projectDirectory): Bundles {
  const entries = globSync('functions/**/*.handler.ts', { cwd: root }).map((path) => path.split(sep).join('/'));
  const functionNames = entries.map((entry) => entry.replace(/^functions\/|\.handler\.ts$/g, '')).sort();
  const output = join(root, 'simulated');
  const { outputFiles } = buildSync({
    ...howToBundle(root),
    entryPoints: Object.fromEntries(functionNames.map((name) => [name, `functions/${name}.handler.ts`])),
    outdir: output,
    sourcemap: 'external',
    sourcesContent: false,
  });
  const files = new Map(outputFiles.map((file) => [relative(output, file.path).split(sep).join('/'), file]));
  const compiled = new Map<string, Bundle>();
  const require = createRequire(join(projectDirectory, 'package.json'));
  return {
    functionNames,
    require,
    scriptNames: scriptNamesOf(root),
    of(functionName) {
      const known = compiled.get(functionName);
      if (known) return known;
      const file = files.get(`${functionName}.js`);
      if (!file) throw new UnknownFunction(`there is no function ${functionName}; there are ${functionNames.join(', ')}`);
      const bundle = { functionName, evaluate: compile(functionName, file) };
      compiled.set(functionName, bundle);
      return bundle;
    },
    readable: readableBy(files),
  };
}

// esbuild copies every member of a package once for each file that imports it as a namespace. Namespaces are only read, so one copy will do for all.
const namespaceHelper = 'var __toESM = (mod, isNodeMode, target) => (target = ';

function compile(functionName: string, file: OutputFile): Evaluate {
  const code = file.text;
  if (/__toESM\(/.test(code) && !code.includes(namespaceHelper)) throw new Error('esbuild makes namespaces in another way now');
  const shared = code.replace(namespaceHelper, 'var __toESM = namespaceOf, __copyEach = (mod, isNodeMode, target) => (target = ');
  // All on the first line: the lines of the source map stay right.
  const wrapped = `(function (${givenNames.join(', ')}) { 'use strict'; ${shared}\n})`;
  const script = new Script(wrapped, { filename: `${codePrefix}${functionName}.js` });
  return script.runInThisContext() as Evaluate;
}

/** The names that `defineScript` was given, by the digests of the scripts' texts: names from the sources, texts from the modules themselves. */
function scriptNamesOf(root: string): ReadonlyMap<string, string> {
  const defining = globSync('functions/**/*.ts', { cwd: root }).filter((path) =>
    /= defineScript\(\{/.test(readFileSync(join(root, path), 'utf8')),
  );
  const paths = defining.map((path) => `./${path.split(sep).join('/')}`).sort();
  const { outputFiles } = buildSync({
    ...howToBundle(root),
    stdin: {
      contents: paths.map((path, index) => `export * as m${index} from ${JSON.stringify(path)};`).join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
  });
  const module = { exports: {} as Record<string, Record<string, { readonly text?: unknown }>> };
  new Function('require', 'module', 'exports', outputFiles[0]?.text ?? '')(
    createRequire(join(projectDirectory, 'package.json')),
    module,
    module.exports,
  );
  const names = new Map<string, string>();
  for (const [index, path] of paths.entries()) {
    const source = readFileSync(join(root, path), 'utf8');
    for (const [, exported = '', name = ''] of source.matchAll(/export const (\w+) = defineScript\(\{\s*name: '([^']+)'/g)) {
      const text = module.exports[`m${index}`]?.[exported]?.text;
      if (typeof text === 'string') names.set(createHash('sha1').update(text).digest('hex'), name);
    }
  }
  return names;
}

function readableBy(files: ReadonlyMap<string, OutputFile>): (stack: string) => string {
  const maps = new Map<string, SourceMap>();
  const mapOf = (name: string) => {
    const file = files.get(`${name}.js.map`);
    if (file && !maps.has(name)) maps.set(name, new SourceMap(JSON.parse(file.text)));
    return maps.get(name);
  };
  return (stack) =>
    stack.replace(/simulated:([\w/-]+)\.js:(\d+):(\d+)/g, (place, name: string, line: string, column: string) => {
      const found = mapOf(name)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (!found || !('originalSource' in found)) return place;
      return `${found.originalSource.replace(/^.*?(?=functions\/|node_modules\/)/, '')}:${found.originalLine + 1}`;
    });
}
