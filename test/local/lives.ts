import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import type { Runtime } from '../../lib/local/index.ts';
import { synthesise } from '../../lib/local/synthesis.ts';

/** A directory of a test file's own, which goes with it; in it the app as it was synthesised, once for the whole file. */
export function synthesisedApp() {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
    await synthesise(join(directory, 'cdk.out'), [directory], new AbortController().signal);
  }, 360_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return {
    cdkOut: () => join(directory, 'cdk.out'),
    /** An empty directory in it. */
    async directory(name: string): Promise<string> {
      await mkdir(join(directory, name));
      return join(directory, name);
    },
    path: (name: string) => join(directory, name),
  };
}

/** One run of a runtime in a process group of its own, until it is killed. */
export interface Life extends Pick<Runtime, 'url'> {
  readonly pid: number;
  /** Kills the whole group with SIGKILL; resolves once its first process is gone. What that had started may still be ending. */
  kill(): Promise<void>;
}

interface LifeOptions {
  readonly cdkOut: string;
  readonly dataDirectory: string;
  readonly port: number;
  /** Where it puts what passes. */
  readonly temporary: string;
  /** Hears what went wrong in it. */
  readonly onLog?: (line: string) => void;
}

/** As `npm start` does it, but over an assembly that is there already: synthesis is most of a start. Rejects with what a start that failed said. */
export async function startLife({ cdkOut, dataDirectory, port, temporary, onLog = () => {} }: LifeOptions): Promise<Life> {
  const index = fileURLToPath(new URL('../../lib/local/index.ts', import.meta.url));
  const script = `
    const { startRuntime } = await import(${JSON.stringify(index)});
    const options = ${JSON.stringify({ cdkOut, dataDirectory, port })};
    const onLog = (source, line) => line.startsWith('{"level":"info"') || process.stderr.write(source + ' ' + line + '\\n');
    const { url } = await startRuntime({ ...options, onLog });
    process.stdout.write(url + '\\n');
  `;
  const child = spawn(process.execPath, ['--no-opt', '--input-type=module', '--eval', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const ended = once(child, 'close');
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    onLog(text);
  });
  const said = once(child.stdout.setEncoding('utf8'), 'data') as Promise<[string]>;
  const [url] = await Promise.race([said, ended.then(() => [undefined])]);
  if (url === undefined || child.pid === undefined) throw new Error(`the runtime did not start: ${errors.join('').slice(-2_000)}`);
  const { pid } = child;
  return { url: url.trim(), pid, kill: () => killGroup(child, ended) };
}

async function killGroup({ pid, exitCode, signalCode }: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  await ended;
}
