import { describe, expect, it } from 'vitest';
import { cartScripts } from '../../../functions/stock/cart.scripts.ts';
import { mendScripts } from '../../../functions/stock/mend.scripts.ts';
import { BadRecord, parseHold, parseRange, parseSeat, parseSuspectSeat } from '../../../functions/stock/stock.records.ts';
import { stockScripts } from '../../../functions/stock/stock.scripts.ts';
import { all, answering } from './answering-redis.ts';

const ranges = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `tee|${from + 2 * index + 1}-${from + 2 * index + 1}`);
const load = { saleId: 's', epoch: 4 };

describe('what is read of a sale page by page', () => {
  it('are its holds, each once though a scan names some twice', async () => {
    const [held, ended] = ['H|7|9|payload|ada|5|tee=1', 'E|7|9|payload|ada|0|'];
    const { redis, sent } = answering({
      hscan: [
        ['17', ['h:a', held, 'h:b', ended]],
        ['0', ['h:a', held, 'h:c', held]],
      ],
    });
    const holds = await all(stockScripts(redis).holds('s'));
    expect(holds.map(({ holdId, state }) => [holdId, state])).toStrictEqual([
      ['a', 'held'],
      ['b', 'ended'],
      ['c', 'held'],
    ]);
    expect(sent).toStrictEqual([
      ['hscan', '{s}:sale', '0', 'MATCH', 'h:*', 'COUNT', 500],
      ['hscan', '{s}:sale', '17', 'MATCH', 'h:*', 'COUNT', 500],
    ]);
  });

  it('are its seats, and who has them', async () => {
    const { redis, sent } = answering({ hscan: [['0', ['hall|A-1', '', 'hall|A-2', '?', 'hall|A-3', '-', 'hall|A-4', 'h']]] });
    expect(await all(stockScripts(redis).seats('s'))).toStrictEqual([
      { sku: 'hall', seat: 'A-1', state: 'free' },
      { sku: 'hall', seat: 'A-2', state: 'suspect' },
      { sku: 'hall', seat: 'A-3', state: 'retired' },
      { sku: 'hall', seat: 'A-4', state: 'held', holdId: 'h' },
    ]);
    expect(sent).toStrictEqual([['hscan', '{s}:seats', '0', 'MATCH', '*', 'COUNT', 500]]);
  });

  it('are its ranges, until a page is not full', async () => {
    const { redis, sent } = answering({ zrangebylex: [ranges(500), [...ranges(1, 1_000), 'hall|:A-1']] });
    const found = await all(stockScripts(redis).suspectRanges('s'));
    expect(found).toHaveLength(501);
    expect(found.at(-1)).toStrictEqual({ sku: 'tee', first: 1_001, last: 1_001 });
    expect(sent).toStrictEqual([
      ['zrangebylex', '{s}:suspects', '-', '+', 'LIMIT', 0, 500],
      ['zrangebylex', '{s}:suspects', '(tee|999-999', '+', 'LIMIT', 0, 500],
    ]);
    const free = answering({ zrangebylex: [[]] });
    expect(await all(stockScripts(free.redis).freeRanges('s'))).toStrictEqual([]);
    expect(free.sent).toStrictEqual([['zrangebylex', '{s}:free', '-', '+', 'LIMIT', 0, 500]]);
  });

  it('are the slots of each buyer', async () => {
    const { redis, sent } = answering({
      hscan: [
        ['5', ['b:ada', '5']],
        ['0', ['b:bob', '2']],
      ],
    });
    expect(await all(mendScripts(redis).allowances('s'))).toStrictEqual([
      { buyerId: 'ada', slots: [1, 3] },
      { buyerId: 'bob', slots: [2] },
    ]);
    expect(sent).toStrictEqual([
      ['hscan', '{s}:sale', '0', 'MATCH', 'b:*', 'COUNT', 500],
      ['hscan', '{s}:sale', '5', 'MATCH', 'b:*', 'COUNT', 500],
    ]);
  });

  it('are the seats under suspicion, among ranges', async () => {
    const { redis, sent } = answering({ zrangebylex: [[...ranges(499), 'hall|:A-1'], ['hall|:A-2']] });
    expect(await all(mendScripts(redis).suspectSeats('s'))).toStrictEqual([
      { sku: 'hall', seat: 'A-1' },
      { sku: 'hall', seat: 'A-2' },
    ]);
    expect(sent).toStrictEqual([
      ['zrangebylex', '{s}:suspects', '-', '+', 'LIMIT', 0, 500],
      ['zrangebylex', '{s}:suspects', '(hall|:A-1', '+', 'LIMIT', 0, 500],
    ]);
  });

  it('are the holds that both lists of expiry lead to', async () => {
    const entries = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}|7|more`);
    const { redis, sent } = answering({ lrange: [entries(500, 'a'), entries(1, 'b'), entries(2, 'c')] });
    const found = await all(mendScripts(redis).listed('s'));
    expect(found.slice(498)).toStrictEqual(['a498', 'a499', 'b0', 'c0', 'c1']);
    expect(sent).toStrictEqual([
      ['lrange', '{s}:expiry', 0, 499],
      ['lrange', '{s}:expiry', 500, 999],
      ['lrange', '{s}:undecided', 0, 499],
    ]);
  });

  it('are the carts that are to be ended, each once', async () => {
    const { redis, sent } = answering({
      zscan: [
        ['3', ['a', '10', 'b', '20']],
        ['0', ['a', '10', 'c', '30']],
      ],
    });
    expect(await all(cartScripts(redis).cartDues('s'))).toStrictEqual([
      { cartId: 'a', dueMs: 10 },
      { cartId: 'b', dueMs: 20 },
      { cartId: 'c', dueMs: 30 },
    ]);
    expect(sent).toStrictEqual([
      ['zscan', '{s}:carts', '0', 'COUNT', 500],
      ['zscan', '{s}:carts', '3', 'COUNT', 500],
    ]);
  });

  it('is what an item has: seats each once, or the units of its pool', async () => {
    const seats = answering({
      hscan: [
        ['9', ['hall|A-1', '', 'hall|A-2', 'h']],
        ['0', ['hall|A-1', '', 'hall|A-3', '']],
      ],
    });
    expect(await mendScripts(seats.redis).count(load, { sku: 'hall', seated: true })).toStrictEqual({ total: 3, free: 2 });
    expect(seats.sent).toStrictEqual([
      ['hscan', '{s}:seats', '0', 'MATCH', 'hall|*', 'COUNT', 500],
      ['hscan', '{s}:seats', '9', 'MATCH', 'hall|*', 'COUNT', 500],
    ]);
    const pool = answering({ zrangebylex: [ranges(500), ['tee|2000-2004']] });
    expect(await mendScripts(pool.redis).count(load, { sku: 'tee', seated: false })).toStrictEqual({ total: 0, free: 505 });
    expect(pool.sent).toStrictEqual([
      ['zrangebylex', '{s}:free', '[tee|', '(tee}', 'LIMIT', 0, 500],
      ['zrangebylex', '{s}:free', '(tee|999-999', '(tee}', 'LIMIT', 0, 500],
    ]);
  });
});

describe('what is looked at closely', () => {
  it('is where each unit of an order is, in the order in which it names them', async () => {
    const lines = [
      { sku: 'tee', units: ['9', '2', '11', '3'] },
      { sku: 'hall', units: ['A-1', 'A-2', 'A-3'], seated: true as const },
      { sku: 'cap', units: ['1'] },
    ];
    const { redis } = answering({ evalsha: [['SEEN', 'H|7|9|payload|ada|5|tee=1', 5, 'fas-', 'h,!,']] });
    const seen = await mendScripts(redis).look(load, { holdId: 'a', buyerId: 'ada', lines });
    if (seen.outcome !== 'SEEN') throw new Error(seen.outcome);
    expect(seen.order.slots).toStrictEqual([1, 3]);
    expect(seen.order.hold).toMatchObject({ holdId: 'a', state: 'held' });
    expect(seen.order.places).toStrictEqual([
      // Serials are sent, and answered, in ascending order: 2, 3, 9, 11.
      { line: lines[0], places: ['suspect', 'free', 'elsewhere', 'ahead'] },
      { line: lines[1], places: [{ owner: 'h' }, 'unknown', { owner: '' }] },
      { line: lines[2], places: ['elsewhere'] },
    ]);
    const none = answering({ evalsha: [['SEEN', '', 0], ['NOT_LOADED']] });
    expect(await mendScripts(none.redis).look(load, { holdId: 'a', buyerId: 'ada', lines: [] })).toStrictEqual({
      outcome: 'SEEN',
      order: { hold: undefined, slots: [], places: [] },
    });
    expect(await mendScripts(none.redis).look(load, { holdId: 'a', buyerId: 'ada', lines: [] })).toStrictEqual({ outcome: 'NOT_LOADED' });
  });

  it('are the counters of items, those that Redis has', async () => {
    const { redis, sent } = answering({ hmget: [['c|1000|600|200', null, 's|3|0|1|#token-1']] });
    expect(await mendScripts(redis).counters('s', ['tee', 'cap', 'hall'])).toStrictEqual([
      { sku: 'tee', seated: false, total: 1_000, next: 600, free: 200 },
      { sku: 'hall', seated: true, total: 3, next: 0, free: 1 },
    ]);
    expect(sent).toStrictEqual([['hmget', '{s}:sale', 'i:tee', 'i:cap', 'i:hall']]);
    expect(await mendScripts(answering({}).redis).counters('s', [])).toStrictEqual([]);
    for (const record of ['x|1|2|3', 'c|1|2', 'c|1|2|3|more', 'yc|1|2|3', 'c|-1|2|3']) {
      await expect(mendScripts(answering({ hmget: [[record]] }).redis).counters('s', ['tee']), record).rejects.toThrow(BadRecord);
    }
  });

  it('is whether Redis may have forgotten something', async () => {
    const { redis, sent } = answering({ hexists: [1, 0] });
    const mend = mendScripts(redis);
    expect([await mend.isBehind('s'), await mend.isBehind('s')]).toStrictEqual([true, false]);
    expect(sent[0]).toStrictEqual(['hexists', '{s}:sale', 'behind']);
  });

  it('is ended with the units that others have, which are no seats', async () => {
    const { redis, sent } = answering({ evalsha: [['ENDED', 1]] });
    const others = {
      lines: [
        { sku: 'tee', units: ['1', '2'] },
        { sku: 'hall', units: ['A-1'], seated: true as const },
      ],
      slots: [1, 3],
    };
    await mendScripts(redis).end(load, { holdId: 'a', bornUs: 7 }, others);
    expect(sent[0]?.slice(-6)).toStrictEqual([4, 'a', 7, 5, 'tee', '1-2']);
  });
});

describe('the records of the stock', () => {
  it('are read as they are written, and nothing else is', () => {
    expect(parseRange('tee|0000017-0000020')).toStrictEqual({ sku: 'tee', first: 17, last: 20 });
    for (const wrong of ['tee|17', '|1-2', 'tee|1-2x', 'tee|x-2', 'tee|:A-1']) expect(() => parseRange(wrong)).toThrow(BadRecord);
    expect(parseSuspectSeat('hall|:A-1')).toStrictEqual({ sku: 'hall', seat: 'A-1' });
    for (const other of ['tee|1-2', '|:A-1', 'hall|:']) expect(parseSuspectSeat(other)).toBeUndefined();
    expect(parseSeat('hall|A|1', 'h')).toStrictEqual({ sku: 'hall', seat: 'A|1', state: 'held', holdId: 'h' });
    for (const wrong of ['|A-1', 'hall']) expect(() => parseSeat(wrong, '')).toThrow(BadRecord);
    expect(parseHold('h', 'K|7|9|p|ada|5|')).toStrictEqual({
      holdId: 'h',
      buyerId: 'ada',
      payloadHash: 'p',
      bornUs: 7,
      expiresAtMs: 9,
      lines: [],
      slots: [1, 3],
      state: 'cart',
    });
    expect(() => parseHold('h', 'X|7|9|p|ada|5|')).toThrow(BadRecord);
    expect(() => parseHold('h', '')).toThrow(BadRecord);
  });
});
