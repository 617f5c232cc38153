import type { Hold, LineUnits, StockLine } from './stock.model.ts';

/** What an order that has a hold is to Redis: `live` keeps the hold, `confirmed` keeps it for good, `ended` gives it back. */
export type OrderStanding = 'live' | 'confirmed' | 'ended';

export type ReserveOutcome =
  | {
      outcome: 'RESERVED';
      bornUs: number;
      expiresAtMs: number;
      units: LineUnits[];
      slots: number[];
      /** The hold was there before this call. After a swap that found nothing it may have fewer units than asked for. */
      replayed: boolean;
    }
  /** An order under this id has ended: its answer is in DynamoDB. */
  | { outcome: 'ENDED' | 'KEY_REUSED' | 'PAUSED' | 'NOT_LOADED' }
  | { outcome: 'UNKNOWN_SKU'; sku: string }
  | { outcome: 'SOLD_OUT'; sku: string; available: number }
  | { outcome: 'BUYER_LIMIT'; limit: number; used: number }
  | { outcome: 'NOT_OPEN'; state: 'scheduled' | 'closed' };

/** The stock of the sales in Redis, as use cases see it. Every method is one script, atomic, and safe to repeat. */
export interface Stock {
  reserve(request: {
    saleId: string;
    holdId: string;
    buyerId: string;
    payloadHash: string;
    lines: readonly StockLine[];
  }): Promise<ReserveOutcome>;
  /** Makes the hold be exactly what the order says. */
  acknowledge(saleId: string, hold: Hold, standing: OrderStanding): Promise<{ outcome: 'ACKNOWLEDGED' | 'RELEASED' | 'ALREADY_ENDED' | 'NOT_LOADED' }>;
  confirm(
    saleId: string,
    holdId: string,
  ): Promise<{ outcome: 'CONFIRMED' | 'ALREADY_CONFIRMED' | 'ALREADY_ENDED' | 'UNKNOWN_HOLD' | 'NOT_LOADED' }>;
  /** Gives a hold's units and allowance back, once. A tombstone releases no younger birth, and nothing that has an order. */
  release(
    saleId: string,
    hold: { holdId: string; bornUs: number; cause: 'order' | 'tombstone' },
  ): Promise<
    { outcome: 'RELEASED'; units: LineUnits[] } | { outcome: 'ALREADY_ENDED' | 'UNKNOWN_HOLD' | 'ORDER_EXISTS' | 'NOT_LOADED' }
  >;
  /** Takes units that others own from the hold, lists them as suspects, and tops the hold up to `lines`. */
  swap(
    saleId: string,
    hold: { holdId: string; bornUs: number; lines: readonly StockLine[]; owned: readonly LineUnits[] },
  ): Promise<
    | { outcome: 'SWAPPED'; units: LineUnits[] }
    | { outcome: 'SOLD_OUT'; sku: string; available: number }
    | { outcome: 'UNKNOWN_HOLD' | 'ALREADY_ENDED' | 'ORDER_EXISTS' | 'NOT_LOADED' }
  >;
  /** Marks slots that rows know as used, and gives the hold others. */
  mendAllowance(
    saleId: string,
    request: { buyerId: string; holdId: string; bornUs: number; usedSlots: readonly number[] },
  ): Promise<{ outcome: 'MENDED'; slots: number[] } | { outcome: 'BUYER_LIMIT' | 'UNKNOWN_HOLD' | 'ALREADY_ENDED' | 'ORDER_EXISTS' | 'NOT_LOADED' }>;
  /** Holds without an order whose time has come; each is listed again after `retryMs` unless it has ended by then. */
  takeExpired(
    saleId: string,
    bounds: { limit: number; retryMs: number },
  ): Promise<{ outcome: 'DUE'; nowMs: number; holds: Hold[] } | { outcome: 'NOT_LOADED' }>;
  /** Units that collided: DynamoDB said that others own them. */
  suspects(saleId: string, limit: number): Promise<LineUnits[]>;
  /** Suspects without a row are free again. Answers how many. */
  returnSuspects(saleId: string, units: readonly LineUnits[]): Promise<number>;
  /** Redis' time, the only clock that decides. */
  nowMs(): Promise<number>;
}
