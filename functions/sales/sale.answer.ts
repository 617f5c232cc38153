import { createHash } from 'node:crypto';
import { rfc3339 } from '../shared/clock.ts';
import { isSharded } from '../stock/shards.model.ts';
import { type Sale, type SaleState, saleStateAt } from './sale.model.ts';
import type { SaleStockLevels } from './sale.ports.ts';
import type { SaleAnswer } from './sale.schemas.ts';

export type Available = ReadonlyMap<string, number>;
export const nothing: Available = new Map();

/** The sale as the HTTP contract shows it. `nowMs` is the time by the clock that opens and closes sales. */
export function saleAnswer(sale: Sale, available: Available, nowMs: number): SaleAnswer {
  const left = sale.items.reduce((sum, { sku }) => sum + (available.get(sku) ?? 0), 0);
  return answer(sale, saleStateAt(sale, left, nowMs), available, nowMs);
}

/**
 * A sale whose stock can't be told: it sells nothing now, so it may not say `open`, nor `sold-out`; while it would sell it says `paused`. `counted` is
 * what is left by the events of its orders, where somebody has counted them.
 */
export function unreadySaleAnswer(sale: Sale, nowMs: number, counted = nothing): SaleAnswer {
  const state = saleStateAt(sale, 0, nowMs);
  return answer(sale, state === 'sold-out' ? 'paused' : state, counted, nowMs);
}

/** All of a new sale is available. */
export const newSaleAnswer = (sale: Sale, nowMs: number): SaleAnswer =>
  saleAnswer(sale, new Map(sale.items.map(({ sku, total }) => [sku, total])), nowMs);

export const availableFrom = (levels: SaleStockLevels): Available => new Map(levels.items.map(({ sku, available }) => [sku, available]));

function answer(sale: Sale, state: SaleState, available: Available, nowMs: number): SaleAnswer {
  return {
    saleId: sale.saleId,
    name: sale.name,
    state,
    serverTime: rfc3339(nowMs),
    opensAt: rfc3339(sale.opensAtMs),
    closesAt: rfc3339(sale.closesAtMs),
    ...(sale.perBuyerLimit === undefined ? {} : { perBuyerLimit: sale.perBuyerLimit }),
    holdSeconds: sale.holdSeconds,
    strategy: sale.strategy,
    ...(isSharded(sale) ? { shards: sale.shards } : {}),
    items: sale.items.map(({ sku, name, priceMinor, currency, total, seated }) => ({
      sku,
      name,
      priceMinor,
      currency,
      total,
      available: available.get(sku) ?? 0,
      seated,
    })),
  };
}

/** A weak validator (RFC 9110, 8.8.1): everything counts but `serverTime`, which is another one with every answer. */
export function etagOf(answer: unknown): string {
  const text = JSON.stringify(answer, (key, value: unknown) => (key === 'serverTime' ? undefined : value));
  return `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

/** Whether `If-None-Match` names the answer, by weak comparison (RFC 9110, 13.1.2). */
export function isKnownTo(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag));
}
