import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transact, UnsettledTransaction } from '../../../functions/shared/dynamo.ts';
import {
  type Idempotency,
  idempotencyRepository,
  keyLifeSeconds,
  onceByKey,
  recollection,
  scopeOf,
} from '../../../functions/shared/idempotency.ts';
import { again, TooMuchContention } from '../../../functions/shared/retry.ts';
import { startTables } from '../../support/database.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let idempotency: Idempotency;
beforeAll(async () => {
  tables = await startTables();
  idempotency = idempotencyRepository(tables.database, 'idempotency');
});
afterAll(() => tables.stop());

const answer = { status: 201, body: '{"b":1,"a":2}' };
const nowMs = 1_800_000_000_000;
const clock = { nowMs: () => nowMs };
const request = (name: string, payloadHash = 'p') => ({ scope: scopeOf('ada', 'POST', '/v1/things', name), payloadHash });
const remember = (of: ReturnType<typeof request>, atMs = nowMs) => transact(tables.database, [idempotency.remember(of, answer, atMs)]);

describe('a key', () => {
  it('gives its first answer back to the letter', async () => {
    expect(await idempotency.recall(request('one'), nowMs)).toEqual({ outcome: 'fresh' });
    await remember(request('one'));
    expect(await idempotency.recall(request('one'), nowMs)).toEqual({ outcome: 'replay', answer });
  });

  it('is refused with another payload', async () => {
    await remember(request('two'));
    expect(await idempotency.recall(request('two', 'q'), nowMs)).toEqual({ outcome: 'reused' });
  });

  it('is written once, by one transaction of any number', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => remember(request('three'))));
    expect(outcomes.filter(({ outcome }) => outcome === 'committed')).toHaveLength(1);
  });

  it('is honoured for more than a day, and fresh afterwards even if its record is still there', async () => {
    await remember(request('four'));
    const dayMs = 86_400_000;
    expect(await idempotency.recall(request('four'), nowMs + dayMs)).toMatchObject({ outcome: 'replay' });
    const laterMs = nowMs + keyLifeSeconds * 1_000 + 1_000;
    expect(await idempotency.recall(request('four'), laterMs)).toEqual({ outcome: 'fresh' });
    expect(await remember(request('four'), laterMs)).toEqual({ outcome: 'committed' });
    expect(await remember(request('four'), laterMs)).toMatchObject({ outcome: 'refused' });
  });

  it('has caller, method and path as its scope, and no two of them can be confused', () => {
    const scopes = [
      scopeOf('ada', 'POST', '/v1/a', 'k'),
      scopeOf('ben', 'POST', '/v1/a', 'k'),
      scopeOf('ada', 'PUT', '/v1/a', 'k'),
      scopeOf('ada', 'POST', '/v1/b', 'k'),
      scopeOf('ada', 'POST', '/v1/a', 'l'),
      scopeOf('ada","POST', '', '/v1/a', 'k'),
    ];
    expect(new Set(scopes).size).toBe(scopes.length);
  });

  it('knows nothing of a record that is not there', () => {
    expect(recollection(undefined, request('five'), nowMs)).toEqual({ outcome: 'fresh' });
  });
});

describe('a keyed request', () => {
  const replay = () => 'replayed';

  it('is attempted once when it succeeds', async () => {
    const of = request('six');
    const attempt = async () => ((await remember(of)).outcome === 'committed' ? 'done' : again);
    expect(await onceByKey(of, { idempotency, clock }, { replay, attempt })).toBe('done');
    expect(await onceByKey(of, { idempotency, clock }, { replay, attempt })).toBe('replayed');
  });

  it('that was committed without an answer is found to be done', async () => {
    const of = request('seven');
    const attempt = async () => {
      await remember(of);
      throw new UnsettledTransaction('the answer was lost');
    };
    expect(await onceByKey(of, { idempotency, clock }, { replay, attempt })).toBe('replayed');
  });

  it('whose outcome stays unknown is not called done', async () => {
    const attempt = async () => {
      throw new UnsettledTransaction('nothing is known');
    };
    await expect(onceByKey(request('eight'), { idempotency, clock }, { replay, attempt })).rejects.toThrow(UnsettledTransaction);
  });

  it('gives up loudly when it loses every race', async () => {
    let attempts = 0;
    const attempt = async (): Promise<string | typeof again> => {
      attempts += 1;
      return again;
    };
    await expect(onceByKey(request('nine'), { idempotency, clock }, { replay, attempt })).rejects.toThrow(TooMuchContention);
    expect(attempts).toBe(8);
  });
});
