import * as realCrypto from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Random } from '../random.ts';
import type { Container } from './container.ts';
import type { Task } from './scheduler.ts';

/** A function reached for something that the simulation does not have. */
export class NotSimulated extends Error {
  override readonly name = 'NotSimulated';
}

export const refuse = (what: string) => (): never => {
  throw new NotSimulated(`${what} is not in the simulation`);
};

/** `Date` by the container's clock. */
export function dateOf(container: Container): DateConstructor {
  return new Proxy(Date, {
    apply: () => new Date(container.nowMs).toString(),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [container.nowMs] : args, newTarget),
    get: (target, name, receiver) => (name === 'now' ? () => container.nowMs : Reflect.get(target, name, receiver)),
  });
}

export const mathOf = (random: Random): Math =>
  Object.create(null, { ...Object.getOwnPropertyDescriptors(Math), random: { value: () => random.next() } }) as Math;

/** A timer as Node gives it. */
class Timer {
  readonly #start: () => Task;
  #task: Task;
  constructor(start: () => Task) {
    this.#start = start;
    this.#task = start();
  }
  stop(): void {
    this.#task.isOff = true;
  }
  close(): this {
    this.stop();
    return this;
  }
  refresh(): this {
    this.stop();
    this.#task = this.#start();
    return this;
  }
  // Containers live for as long as the machine wants them to.
  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
}

type Callback = (...args: unknown[]) => void;

const clear = (timer: unknown) => {
  if (timer instanceof Timer) timer.stop();
};

/** Node's timers in virtual time. */
export function timersOf(container: Container) {
  const usOf = (ms: unknown) => Math.max(1, Number(ms) || 0) * 1_000;
  const setTimeout = (run: Callback, ms?: number, ...args: unknown[]) => new Timer(() => container.after(usOf(ms), () => run(...args)));
  const setImmediate = (run: Callback, ...args: unknown[]) => new Timer(() => container.after(0, () => run(...args)));
  const setInterval = (run: Callback, ms?: number, ...args: unknown[]) => {
    const timer: Timer = new Timer(() =>
      container.after(usOf(ms), () => {
        timer.refresh();
        run(...args);
      }),
    );
    return timer;
  };
  return { setTimeout, setImmediate, setInterval, clearTimeout: clear, clearImmediate: clear, clearInterval: clear };
}

interface PauseOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

/** `node:timers/promises`. */
export function timerPromisesOf(container: Container) {
  const pause = (delayUs: number, value: unknown, { signal }: PauseOptions = {}) =>
    new Promise<unknown>((resolve, reject) => {
      const aborted = () =>
        Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
      if (signal?.aborted) return reject(aborted());
      const task = container.after(delayUs, () => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      });
      const abort = () => {
        task.isOff = true;
        reject(aborted());
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  return {
    setTimeout: (ms?: number, value?: unknown, options?: PauseOptions) => pause(Math.max(1, Number(ms) || 0) * 1_000, value, options),
    setImmediate: (value?: unknown, options?: PauseOptions) => pause(0, value, options),
    setInterval: refuse('setInterval of node:timers/promises'),
  };
}

/** `AbortSignal` whose `timeout` is in virtual time. */
export function abortSignalOf(container: Container): typeof AbortSignal {
  const timeout = (ms: number) => {
    const controller = new AbortController();
    const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    container.after(ms * 1_000, () => controller.abort(reason()));
    return controller.signal;
  };
  return new Proxy(AbortSignal, { get: (target, name) => (name === 'timeout' ? timeout : Reflect.get(target, name, target)) });
}

function bytesOf(random: Random, size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, () => random.int(256)));
}

function uuidOf(random: Random): string {
  const bytes = bytesOf(random, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** What of `node:crypto` is not a function of its arguments. */
const drawn = [
  'randomFill',
  'randomFillSync',
  'generateKeyPair',
  'generateKey',
  'webcrypto',
  'subtle',
  'getRandomValues',
  'randomUUIDv7',
] as const;
const pureCrypto: object = Object.fromEntries(Object.entries(realCrypto).filter(([name]) => !(drawn as readonly string[]).includes(name)));

/** `node:crypto` with its randomness from the seed. */
export const cryptoModuleOf = (random: Random): object =>
  Object.assign(Object.create(pureCrypto) as object, {
    randomUUID: () => uuidOf(random),
    randomBytes: (size: number) => bytesOf(random, size),
    randomInt: (min: number, max?: number) => (max === undefined ? random.int(min) : min + random.int(max - min)),
  });

/** The global `crypto`. */
export const webCryptoOf = (random: Random): object => ({
  randomUUID: () => uuidOf(random),
  getRandomValues: <T extends NodeJS.TypedArray>(array: T): T => {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytesOf(random, array.byteLength));
    return array;
  },
});

/** `node:zlib` as far as it is used; what it does takes no time. */
export const zlib = {
  gzipSync,
  gzip: (data: Buffer | string, ...rest: unknown[]) => {
    const done = rest.at(-1) as (error: null, answer: Buffer) => void;
    queueMicrotask(() => done(null, gzipSync(data)));
  },
};

export const performanceOf = (container: Container) => ({
  timeOrigin: container.nowMs,
  now: () => container.uptimeUs / 1_000,
  mark: () => undefined,
  measure: () => undefined,
});

export function processOf(container: Container): object {
  const write = (text: unknown): boolean => {
    container.log(String(text));
    return true;
  };
  const stream = { write, isTTY: false };
  const hrtime = (since: readonly [number, number] = [0, 0]): [number, number] => {
    const ns = container.uptimeUs * 1_000 - since[0] * 1e9 - since[1];
    return [Math.floor(ns / 1e9), ns % 1e9];
  };
  return {
    env: { ...container.environment },
    stdout: stream,
    stderr: stream,
    hrtime: Object.assign(hrtime, { bigint: () => BigInt(container.uptimeUs) * 1_000n }),
    uptime: () => container.uptimeUs / 1e6,
    nextTick: process.nextTick,
    platform: 'linux',
    arch: 'arm64',
    pid: 1,
    argv: ['node'],
    execArgv: [],
    version: process.version,
    versions: process.versions,
    release: process.release,
    features: process.features,
    emitWarning: (warning: unknown) => container.log(String(warning)),
    cwd: () => '/var/task',
    memoryUsage: refuse('process.memoryUsage'),
    exit: refuse('process.exit'),
    on: () => undefined,
    once: () => undefined,
  };
}

export function consoleOf(container: Container): object {
  const write = (...values: unknown[]) =>
    container.log(values.map((value) => (value instanceof Error ? value.stack : String(value))).join(' '));
  return { log: write, info: write, warn: write, error: write, debug: write, trace: write };
}
