import type { ContainerData } from '../../lib/local/container.messages.ts';
import type { BenchContext } from '../lib/section.ts';
import type { Called, Calls } from './handler.process.ts';
import type { Profile } from './profiler.ts';
import { startRemote } from './remote.ts';
import { bundleIn, type Stage } from './stage.ts';

export type CallKind = 'refused' | 'placed';

export interface Handler {
  call(kind: CallKind): Promise<Called>;
  profile(kind: CallKind): Promise<Profile>;
  /** Answers that should not have been, in words. */
  readonly unexpected: readonly string[];
  stop(): Promise<void>;
}

const statusOf: Record<CallKind, number> = { refused: 409, placed: 201 };
const inFlight = 64;
const unitsMax = 1_000_000;

/** The handler in a process of its own, with the environment that its template gives it, on the stage's servers. */
export async function startHandler(
  context: Pick<BenchContext, 'onStop' | 'signal'>,
  stage: Stage,
  { execArgv, durationMs, name }: { readonly execArgv: readonly string[]; readonly durationMs: number; readonly name: string },
): Promise<Handler> {
  const { placing } = stage;
  const remote = startRemote(new URL('handler.process.ts', import.meta.url), { execArgv, environment: stage.environmentOf(placing) });
  context.onStop(() => remote.stop());
  const data: ContainerData = {
    bundle: bundleIn(placing.codeDirectory),
    ...{ exportName: 'handler', functionName: placing.name, functionArn: placing.arn },
    memoryMegabytes: placing.properties.MemorySize,
    blankTransactionTokens: true,
  };
  await remote.call('open', data);
  const sales: Record<CallKind, string> = { refused: `in-process-sold-out-${name}`, placed: `in-process-${name}` };
  await stage.openSale(sales.refused, 1);
  await stage.openSale(sales.placed, unitsMax);
  let from = 0;
  const unexpected: string[] = [];
  const next = (kind: CallKind, ms: number): Calls => {
    context.signal.throwIfAborted();
    const first = from;
    from += 100_000;
    return { saleId: sales[kind], from: first, count: 100_000, inFlight, durationMs: ms };
  };
  // Its one unit.
  await remote.call<Called>('call', { ...next('refused', 10_000), count: 1 });
  return {
    unexpected,
    async call(kind) {
      const called = await remote.call<Called>('call', next(kind, durationMs));
      for (const [status, count] of Object.entries(called.statuses)) {
        if (Number(status) !== statusOf[kind]) unexpected.push(`${count} × ${status} for ${kind} in process: ${called.sample}`);
      }
      return called;
    },
    profile: (kind) => remote.call<Profile>('profile', next(kind, durationMs)),
    stop: () => remote.stop(),
  };
}
