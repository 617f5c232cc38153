import { describe, expect, it } from 'vitest';
import { Findings, type Invariant } from './findings.ts';
import { checkRedis, type Quiet } from './quiet.ts';
import { type RedisView, redisViewsOf } from './redis-view.ts';
import type { OrderRow, Rows } from './rows.ts';

// What is at rest over several shards, with one thing wrong each time.

const order = {
  ...{ orderId: 'ord_ada', holdId: 'ada', saleId: 'sale', buyerId: 'ada', status: 'FULFILLED', version: 3, strategy: 'reserve-first' },
  items: [{ sku: 'tee', quantity: 1, units: ['1'], priceMinor: 5 }],
  ...{ slots: [1], totalMinor: 5, currency: 'EUR', payment: { method: 'balance', state: 'captured' }, stock: 'held' },
} satisfies OrderRow;

const rows: Rows = {
  sale: {
    ...{ saleId: 'sale', version: 3, control: 'open', perBuyerLimit: 2 },
    items: [{ sku: 'tee', total: 5, seated: false, priceMinor: 5 }],
  },
  orders: [order],
  units: [{ bucket: 'sale#tee#1', unit: '1', saleId: 'sale', sku: 'tee', orderId: 'ord_ada', buyerId: 'ada', state: 'SOLD' }],
  allowances: [{ saleBuyer: 'sale#ada', slot: 1, orderId: 'ord_ada' }],
  ...{ accounts: [], movements: [], payments: [], seats: new Map(), views: [], levels: [] },
};

/** A shard that has these units for sale, and nothing else. */
const shardWith = (...units: readonly number[]): RedisView => ({
  ...{
    control: 'open',
    limit: 2,
    version: 3,
    isBehind: false,
    holds: [],
    slots: new Map(),
    suspects: new Set(),
    seats: new Map(),
    lent: [],
  },
  items: [{ sku: 'tee', kind: 'c', total: 5, next: 6, free: units.length }],
  pool: new Set(units.map((unit) => `tee ${unit}`)),
});
const held = { holdId: 'ada', state: 'C', buyerId: 'ada', slots: 1, units: [{ sku: 'tee', unit: '1' }] };
const home: RedisView = { ...shardWith(2), holds: [held], slots: new Map([['ada', 1]]) };
const other = shardWith(3, 4, 5);

function found(redis: Quiet['redis']): { readonly invariant: Invariant; readonly what: string }[] {
  const findings = new Findings();
  checkRedis({ rows, redis }, findings);
  return findings.list.map(({ invariant, what }) => ({ invariant, what }));
}

const counted = (view: RedisView, by: number): RedisView => ({
  ...view,
  items: view.items.map((item) => ({ ...item, free: item.free + by })),
});

describe('what the checker finds in a sale over several shards', () => {
  it('nothing where each unit is somebody’s or for sale in one shard', () => {
    expect(found([home, other])).toEqual([]);
    expect(found([shardWith(), other, home])).toEqual([]);
  });

  const conserved = '4 stock is conserved';
  it.each<[what: string, redis: Quiet['redis'], invariant: Invariant, words: RegExp]>([
    ['a unit that two shards sell', [home, shardWith(2, 3, 4, 5)], conserved, /tee 2 is for sale in 2 shards/],
    ['a unit that is in no shard', [home, shardWith(3, 4)], conserved, /tee 5 is nobody’s, and not for sale/],
    [
      'a unit that is somebody’s, and for sale in another shard',
      [home, shardWith(1, 3, 4, 5)],
      conserved,
      /tee 1 is somebody’s, and for sale/,
    ],
    ['a unit that is still on its way', [home, { ...shardWith(3, 4), lent: ['tee 5'] }], conserved, /tee 5 is still on its way/],
    [
      'counters that are off by as much, one up and one down',
      [counted(home, 1), counted(other, -1)],
      conserved,
      /Redis counts 2 \(shard 0\)/,
    ],
    ['a shard that has not heard of a change', [home, { ...other, version: 2 }], conserved, /at version 3, Redis at 2 \(shard 1\)/],
    ['a shard that has not heard of a pause', [home, { ...other, control: 'paused' }], conserved, /in Redis paused, limit 2 \(shard 1\)/],
    ['a shard that has not heard of a restock', [home, { ...other, items: [] }], conserved, /in Redis undefined \(shard 1\)/],
    ['a unit under suspicion in one shard', [home, { ...other, suspects: new Set(['tee 4']) }], conserved, /under suspicion \(shard 1\)/],
    [
      'a buyer at home in two shards',
      [home, { ...other, slots: new Map([['ada', 1]]) }],
      conserved,
      /ada is at home in the shards 0 and 1/,
    ],
    [
      'an allowance that no order uses, in one shard',
      [home, { ...other, slots: new Map([['bob', 2]]) }],
      conserved,
      /bob uses the slots 0/,
    ],
    [
      'a hold in another shard that was never ended',
      [home, { ...other, holds: [{ ...held, holdId: 'bob', state: 'H', buyerId: 'bob' }] }],
      '3 one end per hold',
      /a hold of state H \(bob\)/,
    ],
    ['a shard that is lost', undefined, '7 it fails closed', /has not got its sale back/],
  ])('%s', (_, redis, invariant, words) => {
    expect(found(redis)).toContainEqual({ invariant, what: expect.stringMatching(words) });
  });

  it('reads each shard under its own keys, with what is on its way from it, and none where one of them is lost', () => {
    const keys = new Map<string, readonly string[]>([
      ['HGETALL {sale}:sale', ['s', 'open|0|0|2|0|5|3', 'i:tee', 'c|5|6|1', 't:1', '17|tee|3-4,5', 't:2', '16|', 'g:1', '12']],
      ['ZRANGE {sale}:free', ['tee|0000002']],
      ['HGETALL {sale#1}:sale', ['s', 'open|0|0|2|0|5|3', 'i:tee', 'c|5|6|0']],
    ]);
    const redis = { command: (name: string | number, key: string | number = '') => keys.get(`${name} ${key}`) ?? [] };
    const views = redisViewsOf(redis, 'sale', 2);
    expect(views?.map(({ pool, lent }) => ({ pool: [...pool], lent }))).toEqual([
      { pool: ['tee 2'], lent: ['tee 3', 'tee 4', 'tee 5'] },
      { pool: [], lent: [] },
    ]);
    expect(redisViewsOf(redis, 'sale', 3)).toBeUndefined();
  });
});
