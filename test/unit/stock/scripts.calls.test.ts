import { describe, expect, it } from 'vitest';
import { cartScripts } from '../../../functions/stock/cart.scripts.ts';
import { loadScripts, seatPages } from '../../../functions/stock/load.scripts.ts';
import { type SaleToLoad, stockScripts } from '../../../functions/stock/stock.scripts.ts';
import { answering } from './answering-redis.ts';

describe('a sale that nobody has bought from', () => {
  const sale: SaleToLoad = {
    saleId: 's',
    epoch: 4,
    version: 2,
    control: 'open',
    opensAtMs: 1,
    closesAtMs: 2,
    holdSeconds: 0.5,
    items: [
      { sku: 'tee', total: 5 },
      { sku: 'hall', total: 2, seated: true },
    ],
  };
  const seats = new Map([['hall', ['A-1', 'A-2']]]);

  it('is loaded by its seats and its items, and published once', async () => {
    const { redis, sent } = answering({ evalsha: [['BEGUN'], ['TAKEN'], ['LOADED']] });
    expect(await loadScripts(redis).load(sale, seats)).toStrictEqual({ outcome: 'LOADED' });
    expect(sent[1]?.slice(-5)).toStrictEqual([4, 1, 'hall', 'A-1', 'A-2']);
    expect(sent[2]?.slice(4)).toStrictEqual([4, 2, 'open', 1, 2, 0, 500, 1, 0, 'tee', 'counted', 5, 1, 0, 'hall', 'seated', 2, 0, 0]);
  });

  it.each([
    ['it is there', [['ALREADY_LOADED']], 1],
    ['another load has begun', [['STALE_EPOCH']], 1],
    ['another load has begun meanwhile', [['BEGUN'], ['STALE_EPOCH']], 2],
    ['it was published meanwhile', [['BEGUN'], ['TAKEN'], ['ALREADY_LOADED']], 3],
    ['another one is to be published', [['BEGUN'], ['TAKEN'], ['STALE_EPOCH']], 3],
  ])('is left to others when %s', async (_, evalsha, calls) => {
    const { redis, sent } = answering({ evalsha });
    expect(await loadScripts(redis).load(sale, seats)).toStrictEqual({ outcome: 'ALREADY_LOADED' });
    expect(sent).toHaveLength(calls);
  });

  it('is not published when it is not to be loaded any more', async () => {
    const { redis, sent } = answering({ evalsha: [['BEGUN'], ['TAKEN']] });
    expect(await loadScripts(redis).load(sale, seats, async () => undefined)).toStrictEqual({ outcome: 'ALREADY_LOADED' });
    expect(sent).toHaveLength(2);
  });

  it.each(['INCOMPLETE', 'STALE_VERSION'])('is not said to be there when publishing answers %s', async (outcome) => {
    const { redis } = answering({ evalsha: [['BEGUN'], ['TAKEN'], [outcome]] });
    await expect(loadScripts(redis).load(sale, seats)).rejects.toThrow(outcome);
  });

  it('has its seats in chunks of five hundred', () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `A-${index}`);
    expect(
      [
        ...seatPages(
          new Map([
            ['hall', many],
            ['none', []],
          ]),
        ),
      ].map(([sku, page]) => [sku, page.length]),
    ).toStrictEqual([
      ['hall', 500],
      ['hall', 500],
      ['hall', 1],
    ]);
    expect([...seatPages(new Map([['hall', many.slice(0, 1_000)]]))]).toHaveLength(2);
  });
});

describe('carts whose time is up', () => {
  it('are ended in bounded calls while there are more and there is time', async () => {
    const { redis, sent } = answering({
      evalsha: [
        ['EXPIRED', 100, 1],
        ['EXPIRED', 3, 0],
      ],
    });
    expect(await cartScripts(redis).expireCarts('s')).toStrictEqual({ outcome: 'EXPIRED', count: 103 });
    expect(sent.map((call) => call.at(-1))).toStrictEqual([100, 100]);
    expect(await cartScripts(answering({}).redis).expireCarts('s', () => false)).toStrictEqual({ outcome: 'EXPIRED', count: 0 });
    expect(await cartScripts(answering({ evalsha: [['NOT_LOADED']] }).redis).expireCarts('s')).toStrictEqual({ outcome: 'NOT_LOADED' });
    let looks = 0;
    const once = answering({
      evalsha: [
        ['EXPIRED', 1, 1],
        ['EXPIRED', 1, 1],
      ],
    });
    expect(await cartScripts(once.redis).expireCarts('s', () => looks++ === 0)).toStrictEqual({ outcome: 'EXPIRED', count: 1 });
  });

  it.each([
    ['', false, false],
    ['H', true, false],
    ['A', true, true],
    ['C', true, true],
  ])('are no holds by then: one in state %j was there before: %s, and has an order: %s', async (state, replayed, hasOrder) => {
    const reply = ['RESERVED', 7, 9, 0, 'tee=1-2', state, 'tee=1-2;hall:A-1'];
    const { redis } = answering({ evalsha: [reply, [...reply.slice(0, 6), '']] });
    const request = { saleId: 's', holdId: 'h', buyerId: 'ada', payloadHash: 'p', cartId: 'c' };
    const hold = {
      holdId: 'h',
      buyerId: 'ada',
      payloadHash: 'p',
      bornUs: 7,
      expiresAtMs: 9,
      slots: [],
      lines: [{ sku: 'tee', units: ['1', '2'] }],
    };
    const wanted = [
      { sku: 'tee', quantity: 2 },
      { sku: 'hall', quantity: 1, seats: ['A-1'] },
    ];
    expect(await cartScripts(redis).checkoutCart(request)).toStrictEqual({ outcome: 'RESERVED', hold, wanted, replayed, hasOrder });
    expect(await cartScripts(redis).checkoutCart(request)).toMatchObject({ wanted: [{ sku: 'tee', quantity: 2 }] });
  });
});

describe('holds without an order whose time is up', () => {
  it('are asked for until there are some, or none are left, or enough was looked at', async () => {
    const bounds = { limit: 5, retryMs: 7 };
    const record = ['h', 'H|7|9|payload|ada|0|'];
    const some = answering({
      evalsha: [
        ['DUE', 1, 1],
        ['DUE', 2, 1, ...record],
      ],
    });
    expect(await stockScripts(some.redis).takeExpired('s', bounds)).toMatchObject({ nowMs: 2, more: true, holds: [{ holdId: 'h' }] });
    expect(some.sent).toHaveLength(2);
    const none = answering({ evalsha: [['DUE', 1, 0]] });
    expect(await stockScripts(none.redis).takeExpired('s', bounds)).toMatchObject({ more: false, holds: [] });
    expect(await stockScripts(answering({ evalsha: [['NOT_LOADED']] }).redis).takeExpired('s', bounds)).toStrictEqual({
      outcome: 'NOT_LOADED',
    });
    const endless = answering({ evalsha: Array(150).fill(['DUE', 1, 1]) });
    expect(await stockScripts(endless.redis).takeExpired('s', bounds)).toMatchObject({ more: true, holds: [] });
    expect(endless.sent).toHaveLength(100);
  });
});

describe('many seats', () => {
  const names = Array.from({ length: 1_500 }, (_, index) => `A-${index}`);

  it('are put on sale and looked at a thousand at a time', async () => {
    const adding = answering({
      evalsha: [
        ['ADDED', 900],
        ['ADDED', 500],
      ],
    });
    expect(await stockScripts(adding.redis).addSeats('s', 'hall', names)).toStrictEqual({ outcome: 'ADDED', count: 1_400 });
    expect(adding.sent.map((call) => String(call.at(-1)).split(',').length)).toStrictEqual([1_000, 500]);
    const looking = answering({
      evalsha: [
        ['STATES', 'free'],
        ['STATES', 'sold', 'held'],
      ],
    });
    expect(await stockScripts(looking.redis).seatStates('s', 'hall', names)).toStrictEqual({
      outcome: 'STATES',
      states: ['free', 'sold', 'held'],
    });
    for (const reply of [['NOT_LOADED']]) {
      expect(await stockScripts(answering({ evalsha: [reply] }).redis).addSeats('s', 'hall', names)).toStrictEqual({
        outcome: 'NOT_LOADED',
      });
      expect(await stockScripts(answering({ evalsha: [reply] }).redis).seatStates('s', 'hall', names)).toStrictEqual({
        outcome: 'NOT_LOADED',
      });
    }
  });
});
