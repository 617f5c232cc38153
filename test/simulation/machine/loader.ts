import type { Random } from '../random.ts';
import { type Bundles, type Given, givenNames } from './bundles.ts';
import type { Container } from './container.ts';
import {
  abortSignalOf,
  consoleOf,
  cryptoModuleOf,
  dateOf,
  mathOf,
  NotSimulated,
  performanceOf,
  processOf,
  refuse,
  timerPromisesOf,
  timersOf,
  webCryptoOf,
  zlib,
} from './globals.ts';

/** Modules of Node that are functions of their arguments, and so are the same for everybody. */
const pureBuiltins = ['util', 'buffer', 'events', 'url', 'querystring', 'string_decoder', 'async_hooks', 'path', 'assert'];
/** Packages that reach for nothing outside and keep no state that counts. */
const purePackages = ['zod', 'zod-openapi', 'graphql', '@aws-sdk/util-dynamodb'];

/** Runs a container's bundle, as a cold start does. Throws what its module throws, and `NotSimulated` for a module that reaches out. */
export function loadInto(container: Container, bundles: Bundles, random: Random, replaced: Readonly<Record<string, object>>): void {
  const timers = timersOf(container);
  const performance = performanceOf(container);
  const process = processOf(container);
  const builtins: Readonly<Record<string, unknown>> = {
    crypto: cryptoModuleOf(random),
    timers,
    'timers/promises': timerPromisesOf(container),
    process,
    perf_hooks: { performance },
    zlib,
  };
  const require = (name: string): unknown => {
    const found = replaced[name];
    if (found) return found;
    const builtin = name.replace(/^node:/, '');
    if (builtin in builtins) return builtins[builtin];
    if (pureBuiltins.includes(builtin)) return bundles.require(`node:${builtin}`);
    if (purePackages.includes(name)) return bundles.require(name);
    throw new NotSimulated(`${name} is not in the simulation (${container.bundle.functionName} requires it)`);
  };
  const replacedGlobals = {
    process,
    console: consoleOf(container),
    Date: dateOf(container),
    Math: mathOf(random),
    performance,
    crypto: webCryptoOf(random),
    AbortSignal: abortSignalOf(container),
    ...timers,
    fetch: refuse('fetch'),
    WebSocket: refuse('WebSocket'),
    EventSource: refuse('EventSource'),
  };
  // Defined, not assigned: some of them have setters, which would change everybody's.
  const itsGlobal: object = Object.create(globalThis, Object.getOwnPropertyDescriptors(replacedGlobals));
  const module = { exports: {} as { readonly handler?: unknown } };
  const given: Given = {
    ...replacedGlobals,
    require,
    module,
    exports: module.exports,
    globalThis: itsGlobal,
    global: itsGlobal,
    namespaceOf,
  };
  container.bundle.evaluate(...givenNames.map((name) => given[name]));
  const { handler } = module.exports;
  if (typeof handler !== 'function') throw new Error(`${container.bundle.functionName} exports no handler`);
  container.handler = handler as NonNullable<Container['handler']>;
}

const namespaces = new WeakMap<object, object>();

/** A package as `import * as` and `import` by default see it. */
function namespaceOf(module: object): object {
  const known = namespaces.get(module);
  if (known) return known;
  const namespace: Record<string, unknown> = {};
  for (const name in module) namespace[name] = (module as Record<string, unknown>)[name];
  if (!('default' in module) || !('__esModule' in module)) namespace.default = module;
  namespaces.set(module, namespace);
  return namespace;
}
