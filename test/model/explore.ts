import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Exploration, readExploration } from './pan.ts';

export interface Bounds {
  readonly memoryMb: number;
  readonly secondsMax: number;
  /** Whether a run that never ends is an error too. */
  readonly mustEnd: boolean;
}

/** Generating and compiling take seconds on an idle machine. */
const toolSecondsMax = 300;
const depthMax = 1_000_000;
const outputBytesMax = 1_000_000;
const running = new Set<ChildProcess>();

/** Ends what was started; for whoever is interrupted. */
export function stopAll(): void {
  for (const child of running) kill(child);
}

/** With whatever it started itself: the compiler runs others. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Runs a program in a directory, bounded in time and in what it may print. A program that is not there throws. */
export function run(command: string, args: readonly string[], cwd: string, secondsMax: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    let output = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill(child);
    }, secondsMax * 1_000);
    const take = (chunk: Buffer) => {
      if (output.length < outputBytesMax) output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const done = () => {
      clearTimeout(timer);
      running.delete(child);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (status) => {
      done();
      resolve({ status, output, timedOut });
    });
  });
}

/** Generates, compiles and runs the verifier of a model in a directory of its own, which is gone afterwards. */
export async function explore(file: string, defines: Readonly<Record<string, number>>, bounds: Bounds): Promise<Exploration> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-model-'));
  try {
    const definitions = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
    const generated = await run('spin', ['-a', ...definitions, file], directory, toolSecondsMax);
    const hasVerifier = await readFile(join(directory, 'pan.c')).then(
      () => true,
      () => false,
    );
    if (generated.status !== 0 || !hasVerifier) throw new Error(`spin does not take ${file}: ${generated.output.slice(0, 500)}`);
    const options = [
      '-O2',
      '-w',
      bounds.mustEnd ? '-DNP' : '-DSAFETY',
      '-DCOLLAPSE',
      '-DVECTORSZ=512',
      '-DNOBOUNDCHECK',
      `-DMEMLIM=${bounds.memoryMb}`,
    ];
    const compiled = await run('gcc', [...options, '-o', 'pan', 'pan.c'], directory, toolSecondsMax);
    if (compiled.status !== 0) throw new Error(`gcc does not take the verifier of ${file}: ${compiled.output.slice(0, 500)}`);
    // Ends where some process waits for ever are meant (-E): what must hold then is asserted by the model itself.
    const ran = await run('./pan', [...(bounds.mustEnd ? ['-l'] : []), '-E', '-n', `-m${depthMax}`], directory, bounds.secondsMax);
    const found = readExploration(ran.output);
    return ran.timedOut && found.outcome !== 'error'
      ? { ...found, outcome: 'limited', detail: `not done in ${bounds.secondsMax} s` }
      : found;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
