import {
  ConditionalCheckFailedException,
  IdempotentParameterMismatchException,
  ResourceNotFoundException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { tables } from '../../../functions/shared/tables.ts';
import { type DynamoModelOptions, dynamoModel } from './model.ts';

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Answer = { Item?: object; Items: Record<string, unknown>[]; LastEvaluatedKey?: object; UnprocessedKeys: Record<string, unknown> };

function database(options: Partial<DynamoModelOptions> = {}) {
  const clock = { nowMs: 1_000_000 };
  const model = dynamoModel({ tables, nowMs: () => clock.nowMs, random: randomFrom(1), indexLagMsMax: 0, ...options });
  const call = (operation: string, input: object) => model.call(operation, input) as Answer;
  return {
    ...{ model, clock, call },
    put: (TableName: string, Item: object) => call('Put', { TableName, Item }),
    due: (shard: string) =>
      call('Query', {
        TableName: 'orders',
        IndexName: 'due',
        KeyConditionExpression: 'dueShard = :shard',
        ExpressionAttributeValues: { ':shard': shard },
      }).Items.map(({ orderId }) => orderId),
    order: (ConsistentRead: boolean) => call('Get', { TableName: 'orders', Key: { orderId: 'a' }, ConsistentRead }).Item,
  };
}

const inDue = (orderId: string, dueAtMs: number, dueShard = 'one') => ({ orderId, dueAtMs, dueShard });

describe('an index of the model', () => {
  it('shows a change some time after it and never later than it may', () => {
    const { put, due, clock } = database({ indexLagMsMax: 100 });
    const seenAfterMs = Array.from({ length: 50 }, (_, index) => {
      put('orders', inDue(`order ${index}`, 1));
      const beganMs = clock.nowMs;
      while (!due('one').includes(`order ${index}`)) clock.nowMs++;
      return clock.nowMs - beganMs;
    });
    expect(Math.max(...seenAfterMs)).toBeLessThanOrEqual(100);
    expect(new Set(seenAfterMs).size).toBeGreaterThan(20);
  });

  it('shows the changes of one item in their order, and in between the item twice or not at all', () => {
    const { put, due, clock } = database({ indexLagMsMax: 100 });
    const seen: string[] = [];
    const look = () => {
      const now = ['one', 'two', 'three'].filter((shard) => due(shard).length > 0).join('+');
      if (seen.at(-1) !== now) seen.push(now);
    };
    for (let round = 0; round < 20; round++) {
      put('orders', { orderId: 'a' });
      for (let ms = 0; ms <= 400; ms++, clock.nowMs++) {
        if (ms === 0) put('orders', inDue('a', 1, 'one'));
        if (ms === 5) put('orders', inDue('a', 2, 'two'));
        if (ms === 10) put('orders', inDue('a', 3, 'three'));
        look();
      }
      expect(seen.at(-1)).toBe('three');
    }
    expect(seen).not.toContain('one+three');
    expect(seen).toContain('one+two');
    expect(seen).toContain('');
  });

  it('refuses to be read consistently', () => {
    const { call } = database();
    const query = {
      TableName: 'orders',
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :shard',
      ExpressionAttributeValues: { ':shard': 'one' },
    };
    expect(() => call('Query', { ...query, ConsistentRead: true })).toThrow(/not supported on global secondary indexes/);
  });
});

describe('a read of the model', () => {
  it('may show an item as it was, for so long and no longer, unless it is consistent', () => {
    const { put, order, call, clock } = database({ staleReadMsMax: 50 });
    put('orders', { orderId: 'a', version: 1 });
    clock.nowMs += 100;
    put('orders', { orderId: 'a', version: 2 });
    clock.nowMs += 20;
    const seen = Array.from({ length: 100 }, () => order(false));
    expect(seen).toContainEqual({ orderId: 'a', version: 1 });
    expect(seen).toContainEqual({ orderId: 'a', version: 2 });
    expect(Array.from({ length: 100 }, () => order(true))).toEqual(Array(100).fill({ orderId: 'a', version: 2 }));
    call('Delete', { TableName: 'orders', Key: { orderId: 'a' } });
    expect(order(true)).toBeUndefined();
    clock.nowMs += 50;
    expect(Array.from({ length: 100 }, () => order(false)).filter((item) => item !== undefined)).toEqual([]);
  });

  it('gives pages of few items in which a walk finds each once, whatever goes in between', () => {
    const { put, call } = database({ pageItemsMax: 3 });
    const skus = Array.from({ length: 20 }, (_, index) => `sku-${index}`);
    for (const sku of skus) put('products', { sku });
    const found: unknown[] = [];
    for (let start: object | undefined, isFirst = true; isFirst || start; isFirst = false) {
      const page = call('Scan', { TableName: 'products', ...(start && { ExclusiveStartKey: start }) });
      expect(page.Items.length).toBeLessThanOrEqual(3);
      found.push(...page.Items.map(({ sku }) => sku));
      start = page.LastEvaluatedKey;
      if (start) call('Delete', { TableName: 'products', Key: start });
    }
    expect([...found].sort()).toEqual([...skus].sort());
    expect(found).not.toEqual([...skus].sort());
  });

  it('leaves over some keys of a batch when it is told to, and never all', () => {
    const { put, call } = database({ unprocessedShare: 0.5 });
    const Keys = Array.from({ length: 10 }, (_, index) => ({ sku: `sku-${index}` }));
    for (const key of Keys) put('products', key);
    const answers = Array.from({ length: 20 }, () => call('BatchGet', { RequestItems: { products: { Keys } } }));
    const left = answers.map(({ UnprocessedKeys }) => (UnprocessedKeys.products as { Keys: unknown[] } | undefined)?.Keys.length ?? 0);
    expect(Math.max(...left)).toBeGreaterThan(3);
    expect(Math.max(...left)).toBeLessThan(10);
  });

  it('gives what may be changed without changing what is stored', () => {
    const { put, call, model } = database();
    const given = { sku: 'tee', tags: [{ a: 1 }] };
    put('products', given);
    given.tags.push({ a: 2 });
    const { Item } = call('Get', { TableName: 'products', Key: { sku: 'tee' } }) as { Item: typeof given };
    Item.tags.push({ a: 3 });
    expect(model.items('products')).toEqual([{ sku: 'tee', tags: [{ a: 1 }] }]);
    const [stored = {}] = model.items('products');
    expect(() => (stored.tags as object[]).push({})).toThrow(TypeError);
  });
});

describe('a transaction of the model', () => {
  const put = (sku: string) => ({ Put: { TableName: 'products', Item: { sku }, ConditionExpression: 'attribute_not_exists(sku)' } });

  it('is done once under one token for ten minutes, and never with other writes', () => {
    const { call, clock, model } = database();
    const command = { TransactItems: [put('tee')], ClientRequestToken: 'token' };
    call('TransactWrite', command);
    call('TransactWrite', command);
    expect(() => call('TransactWrite', { ...command, TransactItems: [put('cap')] })).toThrow(IdempotentParameterMismatchException);
    clock.nowMs += 10 * 60_000;
    expect(() => call('TransactWrite', command)).toThrow(TransactionCanceledException);
    expect(model.items('products')).toEqual([{ sku: 'tee' }]);
  });

  it('refuses more than 100 writes, and two of one item', () => {
    const { call, model } = database();
    const many = Array.from({ length: 101 }, (_, index) => put(`sku-${index}`));
    expect(() => call('TransactWrite', { TransactItems: many })).toThrow(expect.objectContaining({ name: 'ValidationException' }));
    expect(() => call('TransactWrite', { TransactItems: [put('tee'), put('tee')] })).toThrow(/multiple operations on one item/);
    expect(model.items('products')).toEqual([]);
    call('TransactWrite', { TransactItems: many.slice(1) });
    expect(model.items('products')).toHaveLength(100);
  });
});

describe('the model', () => {
  it('throws the SDK’s own errors', () => {
    const { call, put } = database();
    put('products', { sku: 'tee' });
    const again = { TableName: 'products', Item: { sku: 'tee' }, ConditionExpression: 'attribute_not_exists(sku)' };
    expect(() => call('Put', again)).toThrow(ConditionalCheckFailedException);
    expect(() => call('Put', { ...again, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })).toThrow(
      expect.objectContaining({ Item: { sku: { S: 'tee' } } }),
    );
    expect(() => call('Get', { TableName: 'nothing', Key: {} })).toThrow(ResourceNotFoundException);
    expect(() => put('products', { sku: 'large', text: 'x'.repeat(400 * 1_024) })).toThrow(/maximum allowed size/);
  });

  it.each([
    ['BatchWrite', {}],
    ['Scan', { TableName: 'sales', Segment: 0, TotalSegments: 2 }],
    ['Get', { TableName: 'sales', Key: { saleId: 's' }, ReturnConsumedCapacity: 'TOTAL' }],
    ['Put', { TableName: 'sales', Item: { saleId: 's', tags: new Set(['a']) } }],
    ['Put', { TableName: 'sales', Item: { saleId: 's' }, ConditionExpression: 'contains(saleId, saleId)' }],
    ['Put', { TableName: 'sales', Item: { saleId: 's' }, ConditionExpression: 'NOT attribute_exists(saleId)' }],
    ['Update', { TableName: 'sales', Key: { saleId: 's' }, UpdateExpression: 'SET epoch = if_not_exists(epoch, epoch)' }],
    ['TransactWrite', { TransactItems: [{ ConditionCheck: {} }] }],
  ])('says what it does not know of %s %j', (operation, input) => {
    expect(() => database().call(operation, input)).toThrow(/^the model does not know/);
  });

  it('deletes what has expired when it is asked to, and not before', () => {
    const { put, clock, model } = database();
    put('inbox', { message: 'old', expiresAtSeconds: 1_100 });
    put('inbox', { message: 'new', expiresAtSeconds: 5_000 });
    clock.nowMs = 2_000_000;
    expect(model.items('inbox')).toHaveLength(2);
    expect(model.sweepExpired('inbox')).toBe(1);
    expect(model.items('inbox')).toEqual([{ message: 'new', expiresAtSeconds: 5_000 }]);
  });

  it('has one digest for the same items, whatever came before', () => {
    const [one, other] = [database(), database()];
    one.put('products', { sku: 'tee', name: 'Tee' });
    for (const sku of ['cap', 'tee']) other.put('products', { name: 'Tee', sku });
    expect(one.model.digest()).not.toBe(other.model.digest());
    other.call('Delete', { TableName: 'products', Key: { sku: 'cap' } });
    expect(one.model.digest()).toBe(other.model.digest());
  });
});
