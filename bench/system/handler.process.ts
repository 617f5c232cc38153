import type { Answer, Call, ContainerData } from '../../lib/local/container.messages.ts';
import { openContainer } from '../../lib/local/container.serving.ts';
import { buyerOf, order, orderEvents } from './events.ts';
import { type Profile, threadProfiler } from './profiler.ts';
import { serveParent } from './remote.ts';

// The function that places orders, called in this process as its container calls it, with nothing in front of it.

export interface Calls {
  readonly saleId: string;
  /** Numbers of the first and, with `count`, of the last call: each stands for a key. */
  readonly from: number;
  readonly count: number;
  readonly inFlight: number;
  readonly durationMs: number;
}

export interface Called {
  readonly calls: number;
  readonly elapsedMs: number;
  readonly cpuMicros: number;
  readonly statuses: Readonly<Record<number, number>>;
  readonly sample: string;
}

const remainingMs = 15_000;
const waiting = new Map<string, (answer: Exclude<Answer, { kind: 'ready' }>) => void>();
let serve: ((call: Call) => void) | undefined;

async function open(data: ContainerData): Promise<void> {
  serve = await openContainer(data, (answer) => {
    if (answer.kind === 'ready') return;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
}

function invoke(id: string, event: string): Promise<Exclude<Answer, { kind: 'ready' }>> {
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    serve?.({ id, event, remainingMs });
  });
}

async function call({ saleId, from, count, inFlight, durationMs }: Calls): Promise<Called> {
  if (!serve) throw new Error('no handler is open');
  const eventOf = orderEvents(saleId, order);
  const statuses: Record<number, number> = {};
  let [next, calls, sample] = [from, 0, ''];
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const lane = async () => {
    while (next < from + count && performance.now() - startMs < durationMs) {
      const number = next++;
      const answer = await invoke(String(number), eventOf(buyerOf(number), `key-${number}`));
      if (answer.kind === 'failure') throw new Error(answer.error);
      const status = Number(/"statusCode":(\d+)/.exec(answer.result)?.[1]);
      statuses[status] = (statuses[status] ?? 0) + 1;
      sample ||= answer.result;
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(cpuBefore);
  return { calls, elapsedMs: performance.now() - startMs, cpuMicros: user + system, statuses, sample };
}

const profiler = threadProfiler();

async function profile(calls: Calls): Promise<Profile> {
  await profiler.start();
  await call(calls);
  return profiler.stop();
}

serveParent({ open, call, profile });
