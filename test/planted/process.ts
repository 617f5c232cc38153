import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  readonly code: number | null;
  /** The end of what it wrote. */
  readonly words: string;
  /** Why it had to be ended. */
  readonly killed?: string;
  readonly tookMs: number;
}

const wordsMax = 200_000;

/** The variables of a test run of which this may be a part are not the copy's. */
function environment(): NodeJS.ProcessEnv {
  const ofTests = /^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$|SSR$|MODE$|BASE_URL$)/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofTests.test(name))), NO_COLOR: '1' };
}

/** Runs this Node with these arguments in a directory, and ends it with all that it has started when the time is up or `signal` says so. */
export async function runNode(directory: string, args: readonly string[], msMax: number, signal?: AbortSignal): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { cwd: directory, env: environment(), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  const listen = (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-wordsMax);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  let killed: string | undefined;
  const end = (why: string) => {
    killed = why;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const timer = setTimeout(() => end(`it took more than ${msMax / 1_000} s`), msMax);
  const stop = () => end('it was stopped');
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  await once(child, 'close');
  clearTimeout(timer);
  signal?.removeEventListener('abort', stop);
  return { code: child.exitCode, words, tookMs: performance.now() - startMs, ...(killed === undefined ? {} : { killed }) };
}

/** Servers that tests have started notice by themselves that their parent is gone. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
