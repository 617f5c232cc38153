import { createHash } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Database, Write } from './dynamo.ts';

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

/** For keyed requests that are not orders: an order stores its first answer itself. */
export function idempotencyRepository(database: Database, tableName: string): Idempotency {
  return {
    async recall(request, nowMs) {
      const { Item } = await database.send(
        new GetCommand({ TableName: tableName, Key: { scope: request.scope }, ConsistentRead: true }),
      );
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
