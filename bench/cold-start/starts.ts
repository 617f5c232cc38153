import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Milliseconds since the process began. */
export interface Start {
  /** The bundle began to be loaded: until here it is Node alone. */
  readonly beganMs: number;
  readonly loadedMs: number;
  /** The first request was answered; the same as `loadedMs` without one. */
  readonly answeredMs: number;
  /** CPU of all its threads until then. */
  readonly cpuMs: number;
  readonly status: number | undefined;
  readonly body: string | undefined;
}

export interface StartOptions {
  readonly bundle: string;
  /** All that the process sees of an environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The event of a first request, as JSON text. */
  readonly event?: string;
  /** The directory of V8's compile cache. */
  readonly cache?: string | undefined;
}

const probe = fileURLToPath(new URL('probe.mjs', import.meta.url));
const startMsMax = 60_000;

/** One fresh process. Throws what it said when it did not come to its end. */
export async function startOnce({ bundle, environment, event, cache }: StartOptions): Promise<Start> {
  const child = spawn(process.execPath, [probe, bundle, ...(event === undefined ? [] : [event])], {
    env: { ...environment, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: startMsMax,
    killSignal: 'SIGKILL',
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`a fresh process of ${bundle} ended with ${signal ?? code}: ${err.slice(0, 2_000)}`);
  return JSON.parse(out.split('\n').at(-1) ?? '') as Start;
}
