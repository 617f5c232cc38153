import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// A process of the bench's own, so that what it measures has a compiler, a heap and a CPU account for itself.

interface Asked {
  readonly id: number;
  readonly action: string;
  readonly input: unknown;
}

type Told = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

export interface Remote {
  readonly pid: number;
  /** Rejects with what the action threw, when the process ends first, and after `msMax`. */
  call<Result>(action: string, input?: unknown, msMax?: number): Promise<Result>;
  /** Kills it, unless it ends by itself within 10 s of being asked to. */
  stop(): Promise<void>;
}

export interface RemoteOptions {
  /** Options of Node's own. */
  readonly execArgv?: readonly string[];
  /** All that it sees of an environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

const callMsMax = 120_000;
const stopMsMax = 10_000;
const linesMax = 20;

/** Starts a module that serves its parent (`serveParent`). It never outlives this process: it ends when the channel to it closes. */
export function startRemote(module: URL, { execArgv = [], environment = {} }: RemoteOptions = {}): Remote {
  const env = { PATH: process.env.PATH ?? '', ...environment };
  const child = fork(fileURLToPath(module), { execArgv: [...execArgv], env, serialization: 'advanced', silent: true });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const lastWords: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      lastWords.push(String(text));
      if (lastWords.length > linesMax) lastWords.shift();
    });
  }
  const ended = Promise.withResolvers<void>();
  // Not `close`: it does not come where this end has closed the channel.
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module.pathname} ended (${signal ?? code}): ${lastWords.join('')}`));
    waiting.clear();
    ended.resolve();
  });
  child.on('message', (told: Told) => {
    const asker = waiting.get(told.id);
    waiting.delete(told.id);
    if ('error' in told) asker?.reject(new Error(told.error));
    else asker?.resolve(told.result);
  });
  let asked = 0;
  return {
    pid: child.pid ?? 0,
    async call<Result>(action: string, input: unknown = undefined, msMax = callMsMax) {
      const asker = Promise.withResolvers<unknown>();
      const id = ++asked;
      waiting.set(id, asker);
      const tooLate = setTimeout(() => asker.reject(new Error(`${action} took over ${msMax} ms`)), msMax);
      child.send({ id, action, input } satisfies Asked, (error) => error && asker.reject(error));
      // The answer's type is the caller's claim: both ends are in this directory.
      return asker.promise.finally(() => clearTimeout(tooLate)) as Promise<Result>;
    },
    async stop() {
      const force = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await ended.promise;
      clearTimeout(force);
    },
  };
}

export type Actions = Readonly<Record<string, (input: never) => unknown>>;

/** Answers what the parent asks. `close` runs when the parent wants it to end, or is gone. */
export function serveParent(actions: Actions, close: () => Promise<void> | void = () => {}): void {
  // A terminal gives its signals to all that it runs; when this process ends is its parent's to say, also by its own end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', () => void Promise.resolve(close()).finally(() => process.exit()));
  process.on('message', async ({ id, action, input }: Asked) => {
    const tell = (told: Told) => process.connected && process.send?.(told);
    try {
      const run = actions[action];
      if (!run) throw new Error(`there is no action ${action}`);
      tell({ id, result: await run(input as never) });
    } catch (error) {
      tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}
