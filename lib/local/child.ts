import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

export interface Child {
  readonly pid: number;
  /** Resolves once the process has ended, however it did, with a word on how. */
  readonly ended: Promise<string>;
  /** Asks the process to end, and kills it after 3 s. Resolves once it is gone. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The name that the program sees itself called by. */
  readonly name?: string;
  /** Directories that go when the parent is killed before it could clean up. */
  readonly scratch?: readonly string[];
  readonly onLine?: (line: string) => void;
}

/** The runtime can't start, for a reason that its user can do something about: the message says it whole. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

const stopMs = 3_000;

/**
 * Starts a process that never outlives this one, also when this one is killed: a warden shell reads from a pipe that only
 * this process holds open, and kills the child at its end. Both are kept out of the terminal's Ctrl-C, which the parent handles.
 * Throws when the program can't be started.
 */
export async function startChild({ command, args, cwd, env, name, scratch, onLine }: ChildOptions): Promise<Child> {
  const child = spawn(command, args, { cwd, env, argv0: name, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = child.pid;
  // Before anything is waited for: this process may be ended at any moment from here on.
  const warden = guard(pid, scratch ?? []);
  await once(child, 'spawn').catch((error: unknown) => {
    warden.kill('SIGKILL');
    throw error;
  });
  if (pid === undefined) throw new Error(`${command} has no process id`);
  const ended = new Promise<string>((resolve) => {
    // The id may be another process' from now on.
    child.once('exit', () => warden.kill('SIGKILL'));
    // Later than its exit, once all that it wrote has been read.
    child.once('close', (code, signal) => {
      resolve(signal ? `ended by ${signal}` : `ended with code ${code}`);
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => onLine?.(line));
  }
  return {
    pid,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Directories that go when this process is killed before it could clean up. The answer takes that back. */
export function guardDirectories(directories: readonly string[]): () => void {
  const warden = guard(undefined, directories);
  return () => warden.kill('SIGKILL');
}

function guard(pid: number | undefined, scratch: readonly string[]): ChildProcess {
  const script = 'while read -r _; do :; done; [ -z "$1" ] || kill -9 "$1" 2>/dev/null; shift; rm -rf -- "$@"';
  const warden = spawn('/bin/sh', ['-c', script, 'warden', pid === undefined ? '' : String(pid), ...scratch], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  warden.once('error', () => {});
  warden.stdin?.once('error', () => {});
  warden.unref();
  return warden;
}

/** A port that nothing listens on at this moment; whoever uses it must be ready to lose it to another process. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

/** Says that a process ended, unless it was asked to. */
export function watched(child: Child, what: string, onLine: (line: string) => void): () => Promise<void> {
  let stopping = false;
  void child.ended.then((how) => stopping || onLine(`${what} has ${how}: stop this runtime and start it again.`));
  return () => {
    stopping = true;
    return child.stop();
  };
}

/** Waits until `isReady` answers true, asking every 10 ms; false once `msMax` is over or `ended` has resolved. */
export async function becomesReady(isReady: () => Promise<boolean>, ended: Promise<unknown>, msMax: number): Promise<boolean> {
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  const deadline = performance.now() + msMax;
  while (!gone && performance.now() < deadline) {
    if (await isReady()) return !gone;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
