import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import type { Clock } from '../shared/clock.ts';
import { SaleId } from '../shared/ids.ts';
import { log } from '../shared/telemetry.ts';
import { saleIdOfStock } from './shards.model.ts';
import type { Stock } from './stock.ports.ts';

/** The message that asks for a rebuild. */
export const RebuildRequest = z.object({ saleId: SaleId });

export interface AskPorts {
  /** Whether nobody has asked for this sale in the last `askedMs`; whoever comes next within that time hears that somebody has. */
  readonly isFirst: (saleId: string, askedMs: number) => Promise<boolean>;
  readonly send: (message: z.infer<typeof RebuildRequest>) => Promise<unknown>;
  readonly clock: Clock;
}

/** One request in this time is enough: the next asker makes a lost one good. */
const askedMs = 5_000;
/** The caller's own answer does not wait longer for it. */
const waitMsMax = 1_000;
const salesMax = 1_000;

/** Asks for a sale's rebuild, once for a whole crowd of callers. Never fails; a request that does not get through is logged, and asked for again later. */
export function rebuildAsker({ isFirst, send, clock }: AskPorts): (saleId: string) => Promise<void> {
  // A crowd meets the same missing sale through one container: most of it need not even ask Redis who asks.
  const askedAtMs = new Map<string, number>();

  async function ask(saleId: string): Promise<void> {
    try {
      if (!(await isFirst(saleId, askedMs))) return;
      await send({ saleId });
      log.info('a rebuild was asked for', { saleId });
    } catch (error) {
      log.warn('a rebuild could not be asked for', { saleId, error });
    }
  }

  return async (saleId) => {
    const nowMs = clock.nowMs();
    if (nowMs - (askedAtMs.get(saleId) ?? Number.NEGATIVE_INFINITY) < askedMs) return;
    if (askedAtMs.size >= salesMax) askedAtMs.clear();
    askedAtMs.set(saleId, nowMs);
    await Promise.race([ask(saleId), pause(waitMsMax, undefined, { ref: false })]);
  };
}

/** The stock, asking for a rebuild whenever one of its answers is `NOT_LOADED`. The answer is the same, only a little later. */
export function askingStock<S extends Partial<Stock>>(stock: S, ask: (saleId: string) => Promise<void>): S {
  const asking = Object.entries(stock).map(([name, method]) => [name, askingMethod(method as Method, ask)]);
  return Object.fromEntries(asking) as S;
}

type Method = (...args: readonly unknown[]) => unknown;

const askingMethod =
  (method: Method, ask: (saleId: string) => Promise<void>): Method =>
  (...args) => {
    const result = method(...args);
    if (!(result instanceof Promise)) return result;
    return result.then(async (reply: unknown) => {
      const saleId = saleIdOf(args[0]);
      if (isNotLoaded(reply) && saleId !== undefined) await ask(saleId);
      return reply;
    });
  };

const isNotLoaded = (reply: unknown) => typeof reply === 'object' && reply !== null && 'outcome' in reply && reply.outcome === 'NOT_LOADED';

/** Each verb takes the id of the sale, or of one of its stocks, first: by itself or in a request. */
function saleIdOf(subject: unknown): string | undefined {
  if (typeof subject === 'string') return saleIdOfStock(subject);
  return typeof subject === 'object' && subject !== null && 'saleId' in subject ? saleIdOfStock(String(subject.saleId)) : undefined;
}
