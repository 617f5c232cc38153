import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Answer, Call, ContainerData } from './container.messages.ts';

/**
 * What a container is: a thread of this process, or a process of its own, which starts more slowly and takes more memory, but which `ps` shows
 * with its function's name, and which can be looked into, bounded and killed without the others.
 */
export type ContainerKind = 'threads' | 'processes';

export interface ContainerHost {
  send(call: Call): void;
  /** Ends it at once, in the middle of whatever it does. Resolves once it is gone. */
  kill(): Promise<void>;
}

export interface ContainerStart {
  readonly data: ContainerData;
  /** All that the container sees of an environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onAnswer: (answer: Answer) => void;
  readonly onLine: (line: string) => void;
  /** Hears once why it ended. */
  readonly onEnd: (cause: string) => void;
}

export const startContainer = (kind: ContainerKind, start: ContainerStart): ContainerHost =>
  kind === 'threads' ? startThread(start) : startProcess(start);

function startThread({ data, environment, onAnswer, onLine, onEnd }: ContainerStart): ContainerHost {
  const worker = new Worker(new URL('./container.worker.ts', import.meta.url), {
    workerData: data,
    env: environment,
    // What this process was started with is nothing to a function.
    execArgv: [],
    stdout: true,
    stderr: true,
    name: data.functionName,
  });
  for (const stream of [worker.stdout, worker.stderr]) createInterface({ input: stream }).on('line', onLine);
  let cause = 'ended';
  worker.on('message', onAnswer);
  worker.on('error', (error: Error) => {
    cause = error.stack ?? error.message;
  });
  worker.once('exit', () => onEnd(cause));
  return {
    send: (call) => worker.postMessage(call),
    kill: async () => {
      await worker.terminate();
    },
  };
}

const linesMax = 20;

function startProcess({ data, environment, onAnswer, onLine, onEnd }: ContainerStart): ContainerHost {
  const child = fork(fileURLToPath(new URL('./container.process.ts', import.meta.url)), [data.functionName], {
    env: environment,
    // The compiler's options are about this machine; all else that this process was started with is nothing to a function.
    execArgv: process.execArgv.filter((argument) => argument === '--no-opt'),
    silent: true,
  });
  const last: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue;
    createInterface({ input }).on('line', (line) => {
      if (last.push(line) > linesMax) last.shift();
      onLine(line);
    });
  }
  const gone = Promise.withResolvers<void>();
  const end = (cause: string) => {
    onEnd(cause);
    gone.resolve();
  };
  child.on('message', (answer) => onAnswer(answer as Answer));
  // It could not be started: then there is no `close`.
  child.once('error', (error) => child.pid === undefined && end(error.message));
  // Later than its exit, once all that it wrote has been read.
  child.once('close', (code, signal) => end(signal ? `ended by ${signal}` : `ended with code ${code}: ${last.join('\n')}`));
  // Of what can't be sent any more the end tells.
  const send = (message: ContainerData | Call) => void child.send(message, () => {});
  send(data);
  return {
    send,
    kill: () => {
      child.kill('SIGKILL');
      return gone.promise;
    },
  };
}
