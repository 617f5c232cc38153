import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pause } from '../../lib/client/bounded.ts';
import { becomesReady, type Child, startChild } from '../../lib/local/child.ts';
import type { Runtime, RuntimeOptions } from '../../lib/local/index.ts';

/** What the runtime's process says of itself. */
export type RuntimeFacts = Omit<Runtime, 'stop'>;

export interface Container {
  readonly pid: number;
  readonly functionName: string;
}

/** The embedded runtime in a process of its own: gateway, bus, queues, pollers and schedules; each container is a process below it. */
export interface RuntimeProcess {
  /** Of the life that runs, or ran last. */
  readonly facts: RuntimeFacts;
  /** Starts it, over what the life before has left; again and again, for some minutes, when it does not come up. */
  start(): Promise<void>;
  /** SIGKILL of the process, and with it of all that is in it. Its containers end when they see that it is gone. */
  kill(): Promise<void>;
  containers(): Container[];
  /** What was said last. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

const startMsMax = 240_000;
const againMs = 500;
const linesMax = 4_000;

export function runtimeProcess(options: RuntimeOptions, environment: NodeJS.ProcessEnv): RuntimeProcess {
  const lines: string[] = [];
  let child: Child | undefined;
  let facts: RuntimeFacts | undefined;
  let isReady = false;

  let isStopped = false;

  const hear = (line: string) => {
    if (line.startsWith('READY ')) {
      facts = JSON.parse(line.slice('READY '.length)) as RuntimeFacts;
      isReady = true;
    } else if (lines.push(`${new Date().toISOString()} ${line}`) > linesMax) lines.splice(0, linesMax / 4);
  };
  return {
    lines,
    get facts() {
      if (!facts) throw new Error('the runtime has not started');
      return facts;
    },
    async start() {
      isReady = false;
      const program = fileURLToPath(new URL('runtime.process.ts', import.meta.url));
      const deadlineMs = performance.now() + startMsMax;
      // As a supervisor does: a start fails while one of the servers does not answer.
      while (performance.now() < deadlineMs && !isStopped) {
        child = await startChild({
          command: process.execPath,
          args: ['--no-opt', program, JSON.stringify(options)],
          env: { ...process.env, ...environment },
          onLine: hear,
        });
        if (await becomesReady(async () => isReady, child.ended, deadlineMs - performance.now())) return;
        await child.stop();
        await pause(againMs);
      }
      throw new Error(`the runtime did not start:\n${lines.slice(-20).join('\n')}`);
    },
    async kill() {
      if (!child) return;
      // The whole group: nothing of this life may act in the next.
      killed(-child.pid);
      await child.ended;
    },
    containers: () => (child ? containersOf(child.pid) : []),
    async stop() {
      isStopped = true;
      await child?.stop();
    },
  };
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Kills one process; whether it was there to be killed. */
export const killContainer = ({ pid }: Container): boolean => killed(pid);

const isContainer = /container\.process\.ts (\S+)$/;

function containersOf(runtimePid: number): Container[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    const [, functionName] = isContainer.exec(command.trim()) ?? [];
    return functionName !== undefined && Number(parent) === runtimePid ? [{ pid: Number(pid), functionName }] : [];
  });
}
