import { createHash } from 'node:crypto';
import type { Clock } from './clock.ts';
import { type Database, UnsettledTransaction, type Write } from './dynamo.ts';
import { type again, untilSettled } from './retry.ts';

/** The first answer of a keyed request, as it was sent: the body as text, because a map would lose the order of its members. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
}

/** What is known about a key: nothing, its first answer, or that it came with another payload. */
export type Recollection = { outcome: 'fresh' } | { outcome: 'replay'; answer: StoredAnswer } | { outcome: 'reused' };

/** One keyed request: whose key it is, and what was sent under it. */
export interface KeyedRequest {
  /** Caller, method, path and key, hashed: two callers with the same key never meet. */
  readonly scope: string;
  readonly payloadHash: string;
}

export interface Idempotency {
  /** What is known about the request's key, read with strong consistency. */
  recall(request: KeyedRequest, nowMs: number): Promise<Recollection>;
  /** The piece that makes the caller's transaction happen once per key: refused when the key is known. Only success is remembered. */
  remember(request: KeyedRequest, answer: StoredAnswer, nowMs: number): Write;
}

/** Keys are honoured for 48 hours; the contract promises 24. */
export const keyLifeSeconds = 48 * 3_600;

export function scopeOf(callerId: string, method: string, path: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([callerId, method, path, key]))
    .digest('base64url');
}

interface KeyRecord {
  readonly scope: string;
  readonly payloadHash: string;
  readonly status: number;
  readonly body: string;
  readonly expiresAtSeconds: number;
}

const isLapsed = (record: KeyRecord, nowMs: number): boolean => record.expiresAtSeconds * 1_000 <= nowMs;

/** Pure: what a record says about a request that comes with the same key. */
export function recollection(record: KeyRecord | undefined, request: KeyedRequest, nowMs: number): Recollection {
  // The database deletes lapsed records days late.
  if (!record || isLapsed(record, nowMs)) return { outcome: 'fresh' };
  if (record.payloadHash !== request.payloadHash) return { outcome: 'reused' };
  return { outcome: 'replay', answer: { status: record.status, body: record.body } };
}

/** For keyed requests that are not orders: an order's first answer is derived from the order. */
export function idempotencyRepository(database: Database, tableName: string): Idempotency {
  return {
    async recall(request, nowMs) {
      const { Item } = await database.get({ TableName: tableName, Key: { scope: request.scope }, ConsistentRead: true });
      return recollection(Item as KeyRecord | undefined, request, nowMs);
    },

    remember(request, answer, nowMs) {
      const isNew = 'attribute_not_exists(#scope)';
      const hasLapsed = 'expiresAtSeconds <= :now';
      const nowSeconds = Math.floor(nowMs / 1_000);
      const record: KeyRecord = { ...request, ...answer, expiresAtSeconds: nowSeconds + keyLifeSeconds };
      return {
        Put: {
          TableName: tableName,
          Item: record,
          ConditionExpression: [isNew, hasLapsed].join(' OR '),
          ExpressionAttributeNames: { '#scope': 'scope' },
          ExpressionAttributeValues: { ':now': nowSeconds },
        },
      };
    },
  };
}

/**
 * Does a keyed request once: gives the first answer if there is one, otherwise attempts, and looks again after a lost race (`again`) or
 * an unknown outcome. The attempt's transaction must contain `remember`, so that of any number of attempts one succeeds.
 */
export function onceByKey<Outcome>(
  request: KeyedRequest,
  { idempotency, clock }: { readonly idempotency: Idempotency; readonly clock: Clock },
  steps: { replay: (answer: StoredAnswer) => Outcome; attempt: () => Promise<Outcome | typeof again> },
): Promise<Outcome | { outcome: 'key-reused' }> {
  async function known(): Promise<Outcome | { outcome: 'key-reused' } | undefined> {
    const recalled = await idempotency.recall(request, clock.nowMs());
    if (recalled.outcome === 'fresh') return undefined;
    return recalled.outcome === 'replay' ? steps.replay(recalled.answer) : { outcome: 'key-reused' };
  }

  return untilSettled(async () => {
    const before = await known();
    if (before) return before;
    try {
      return await steps.attempt();
    } catch (error) {
      // It may have committed after all. If it has not by now, whoever asked has to come again.
      const after = error instanceof UnsettledTransaction ? await known() : undefined;
      if (after) return after;
      throw error;
    }
  });
}
