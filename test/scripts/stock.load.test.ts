import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OwnedUnit } from '../../functions/stock/load.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { all, aRequest, expectConserved, held, openSale, redisBench, serials, tees } from './stock.harness.ts';
import { aRow, loadsOn } from './stock.load.harness.ts';

const bench = redisBench();
const { aSale, aLoad } = loadsOn(bench);

const aSeat = (seat: string, changes: Partial<OwnedUnit> = {}) => aRow(seat, { sku: 'hall', ...changes });
const holdsOf = async (saleId: string) => new Map((await all(bench.stock.holds(saleId))).map((hold) => [hold.holdId, hold]));
const maskOf = async (saleId: string, buyerId: string) => Number(await bench.redis.hget(stockKeys(saleId).sale, `b:${buyerId}`));

describe('loading a sale that nobody has bought from', () => {
  it('puts all items on sale in one call, up to the 50 of a sale', async () => {
    const items = Array.from({ length: 50 }, (_, index) => ({ sku: `item-${index}`, total: index + 1 }));
    const { saleId } = await openSale(bench, { items });
    const state = await bench.stock.read(saleId);
    expect(state).toMatchObject({ outcome: 'READ', items: items.map((item) => ({ ...item, available: item.total, given: 0 })) });
    await expectConserved(bench, saleId);
  });

  it('changes nothing when it is repeated, also after units were given out', async () => {
    const sale = await openSale(bench);
    const hold = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 4 }] });
    expect(await bench.stock.load(sale)).toEqual({ outcome: 'ALREADY_LOADED' });
    expect(await bench.stock.load({ ...sale, version: 2, epoch: 2, control: 'closed' })).toEqual({ outcome: 'ALREADY_LOADED' });
    const { holds } = await expectConserved(bench, sale.saleId);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect((await held(bench, sale.saleId)).lines).toEqual([tees(5)]);
  });

  it('puts seats on sale beside counted units, however many', async () => {
    const seats = Array.from({ length: 1_234 }, (_, index) => `R${index % 40}-${index}`);
    const sale = await aSale({
      items: [
        { sku: 'hall', total: seats.length, seated: true },
        { sku: 'tee', total: 3 },
      ],
    });
    expect(await bench.stock.load(sale, new Map([['hall', seats]]))).toEqual({ outcome: 'LOADED' });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({
      items: [
        { sku: 'hall', kind: 'seated', total: 1_234, available: 1_234, given: 0 },
        { sku: 'tee', kind: 'counted', total: 3, available: 3, given: 0 },
      ],
    });
    expect(await bench.stock.seatStates(sale.saleId, 'hall', ['R0-0', 'R0-1'])).toMatchObject({ states: ['free', 'unknown'] });
    // No trace of the load is left.
    expect(await bench.redis.hmget(stockKeys(sale.saleId).sale, 'l', 'v')).toEqual([null, null]);
    expect(await bench.redis.exists(stockKeys(sale.saleId).chunks)).toBe(0);
  });

  it('fails rather than sell fewer seats than the sale has', async () => {
    const sale = await aSale({ items: [{ sku: 'hall', total: 2, seated: true }] });
    await expect(bench.stock.load(sale, new Map([['hall', ['A-1']]]))).rejects.toThrow('INCOMPLETE');
    expect(await bench.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
  });

  it('leaves the sale to a load of a higher epoch that is under way', async () => {
    const sale = await aSale({ epoch: 3 });
    await aLoad(sale, 4).begin();
    expect(await bench.stock.load(sale)).toEqual({ outcome: 'ALREADY_LOADED' });
    expect(await bench.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
  });
});

describe('a load', () => {
  it('is invisible until it is published, and nobody sells from it', async () => {
    const sale = await aSale();
    const load = aLoad(sale);
    expect(await load.begin()).toEqual({ outcome: 'BEGUN' });
    await load.units([aRow(1)]);
    for (const reply of [
      await bench.stock.read(sale.saleId),
      await bench.stock.reserve(aRequest(sale.saleId)),
      await bench.stock.release(sale.saleId, { holdId: 'hold-1', bornUs: 1, cause: 'order' }),
      await bench.stock.confirm(sale.saleId, 'hold-1'),
      await bench.stock.update({ ...sale, version: 1 }),
    ]) {
      expect(reply).toEqual({ outcome: 'NOT_LOADED' });
    }
    expect(await load.publish([{ sku: 'tee', next: 2 }])).toEqual({ outcome: 'LOADED' });
    expect((await held(bench, sale.saleId)).lines).toEqual([tees(2)]);
    await expectConserved(bench, sale.saleId);
  });

  it('makes each order’s hold of its rows, whatever chunks they come in and however often', async () => {
    const sale = await aSale({
      items: [
        { sku: 'tee', total: 20 },
        { sku: 'mug', total: 5 },
      ],
      perBuyerLimit: 8,
    });
    const load = aLoad(sale);
    await load.begin();
    const bob = { holdId: 'hold-2', buyerId: 'bob', state: 'SOLD' } as const;
    const chunks = [
      [aRow(7, { slot: 2 }), aRow(9, { ...bob, slot: 1 })],
      [aRow(2, { sku: 'mug', slot: 4 }), aRow(3, { slot: 1 })],
      [aRow(8, { slot: 3 })],
    ];
    for (const rows of chunks) expect(await load.units(rows)).toEqual({ outcome: 'TAKEN' });
    for (const [index, rows] of chunks.entries()) expect(await load.units(rows, index + 1)).toEqual({ outcome: 'TAKEN' });
    await load.free('tee', [1, 2], [4, 6]);
    await load.free('mug', [1, 1]);
    const items = [
      { sku: 'tee', next: 10, free: 5 },
      { sku: 'mug', next: 3, free: 1 },
    ];
    expect(await load.publish(items)).toEqual({ outcome: 'LOADED' });
    const { holds } = await expectConserved(bench, sale.saleId, 8);
    const guessed = { payloadHash: '-', bornUs: 1_700_000_000_000_000, expiresAtMs: 1_700_000_300_000 };
    expect(holds).toHaveLength(2);
    expect(holds).toContainEqual({
      ...{ holdId: 'hold-1', buyerId: 'ada', state: 'acknowledged', slots: [1, 2, 3, 4], ...guessed },
      lines: expect.arrayContaining([tees(3, 7, 8), { sku: 'mug', units: ['2'] }]),
    });
    expect(holds).toContainEqual({ holdId: 'hold-2', buyerId: 'bob', state: 'confirmed', slots: [1], ...guessed, lines: [tees(9)] });
    // What comes next is what nobody has, lowest first.
    expect((await held(bench, sale.saleId, { buyerId: 'eve', lines: [{ sku: 'tee', quantity: 7 }] })).lines).toEqual([
      tees(1, 2, 4, 5, 6, 10, 11),
    ]);
  });

  it('gives the units and slots of a hold that it made back, once', async () => {
    const sale = await aSale({ perBuyerLimit: 2 });
    const load = aLoad(sale);
    await load.begin();
    await load.units([aRow(1, { slot: 1 }), aRow(2, { slot: 2 })]);
    await load.publish([{ sku: 'tee', next: 3 }]);
    expect(await bench.stock.reserve(aRequest(sale.saleId))).toMatchObject({ outcome: 'BUYER_LIMIT', used: 2, behind: true });
    const release = { holdId: 'hold-1', bornUs: 5, cause: 'order' } as const;
    expect(await bench.stock.release(sale.saleId, release)).toMatchObject({ outcome: 'RELEASED', lines: [tees(1, 2)] });
    expect(await bench.stock.release(sale.saleId, release)).toEqual({ outcome: 'ALREADY_ENDED' });
    expect((await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 2 }] })).lines).toEqual([tees(1, 2)]);
    await expectConserved(bench, sale.saleId, 2);
  });

  it('never lets a rebuilt hold become an order or end with a tombstone: an order has it', async () => {
    const sale = await aSale();
    const load = aLoad(sale);
    await load.begin();
    await load.units([aRow(1)]);
    await load.publish([{ sku: 'tee', next: 2 }]);
    expect(await bench.stock.reserve(aRequest(sale.saleId, { holdId: 'hold-1' }))).toEqual({ outcome: 'KEY_REUSED' });
    const tombstone = { holdId: 'hold-1', bornUs: 2 ** 52, cause: 'tombstone' } as const;
    expect(await bench.stock.release(sale.saleId, tombstone)).toEqual({ outcome: 'ORDER_EXISTS' });
    expect(await bench.stock.takeExpired(sale.saleId, { limit: 10, retryMs: 1 })).toMatchObject({ holds: [] });
  });

  it('keeps a retired unit out of sale and its slot in use, without a hold', async () => {
    const sale = await aSale({
      items: [
        { sku: 'tee', total: 3 },
        { sku: 'hall', total: 2, seated: true },
      ],
      perBuyerLimit: 2,
    });
    const load = aLoad(sale);
    await load.begin();
    await load.units([aRow(1, { state: 'RETIRED', slot: 1 }), aSeat('A-1', { state: 'RETIRED', slot: 2 })]);
    await load.seats('hall', ['A-1', 'A-2']);
    await load.publish([{ sku: 'tee', next: 2 }]);
    expect(await holdsOf(sale.saleId)).toEqual(new Map());
    expect(await maskOf(sale.saleId, 'ada')).toBe(0b11);
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ items: [{ available: 2 }, { available: 1 }] });
    expect(await bench.redis.hget(stockKeys(sale.saleId).seats, 'hall|A-1')).toBe('-');
    expect((await held(bench, sale.saleId, { buyerId: 'bob' })).lines).toEqual([tees(2)]);
  });

  it.each(['rows first', 'seats first'])('counts the free seats whatever comes first: %s', async (order) => {
    const sale = await aSale({ items: [{ sku: 'hall', total: 4, seated: true }] });
    const load = aLoad(sale);
    await load.begin();
    const rows = () => load.units([aSeat('A-1'), aSeat('17', { holdId: 'hold-2', state: 'SOLD' })]);
    if (order === 'rows first') await rows();
    await load.seats('hall', ['A-1', '17']);
    await load.seats('hall', ['B-1', 'B-2']);
    if (order === 'seats first') await rows();
    expect(await load.publish()).toEqual({ outcome: 'LOADED' });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ items: [{ total: 4, available: 2, given: 2 }] });
    const seats = ['A-1', '17', 'B-1', 'B-2'];
    expect(await bench.stock.seatStates(sale.saleId, 'hall', seats)).toMatchObject({ states: ['held', 'sold', 'free', 'free'] });
    expect((await holdsOf(sale.saleId)).get('hold-2')?.lines).toEqual([{ sku: 'hall', units: ['17'], seated: true }]);
  });

  it('counts as confirmed an order whose rows were read partly before its confirmation and partly after', async () => {
    const sale = await aSale();
    for (const states of [
      ['HELD', 'SOLD'],
      ['SOLD', 'HELD'],
    ] as const) {
      const load = aLoad({ ...sale, saleId: `${sale.saleId}-${states[0]}` });
      await load.begin();
      for (const [index, state] of states.entries()) await load.units([aRow(index + 1, { state })]);
      await load.publish([{ sku: 'tee', next: 3 }]);
      expect((await holdsOf(`${sale.saleId}-${states[0]}`)).get('hold-1')).toMatchObject({ state: 'confirmed', lines: [tees(1, 2)] });
    }
  });

  it('clears what a load before it left, and keeps the note of the newest version', async () => {
    const sale = await aSale();
    const [first, second] = [aLoad(sale, 2), aLoad(sale, 3)];
    await first.begin();
    await first.units([aRow(1, { holdId: 'left', slot: 1 })]);
    await first.free('tee', [5, 6]);
    await bench.stock.update({ ...sale, version: 4 });
    expect(await second.begin()).toEqual({ outcome: 'BEGUN' });
    expect(await second.publish([], { version: 3 })).toEqual({ outcome: 'STALE_VERSION' });
    expect(await second.publish([], { version: 4 })).toEqual({ outcome: 'LOADED' });
    const { holds } = await expectConserved(bench, sale.saleId);
    expect(holds).toEqual([]);
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ version: 4, epoch: 3, items: [{ available: 10 }] });
  });
});

describe('any owned units', () => {
  it('come out as they went in: each unit in its order’s hold or free, each slot used', async () => {
    const owner = fc.record({ hold: fc.integer({ min: 0, max: 5 }), state: fc.constantFrom('HELD', 'SOLD', 'RETIRED') });
    const units = fc.array(fc.option(owner, { nil: undefined }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(units, fc.integer({ min: 1, max: 9 }), async (owners, chunkSize) => {
        const sale = await aSale({ items: [{ sku: 'tee', total: owners.length }] });
        // An order has at most 20 units.
        const rows = owners.flatMap((own, index) => {
          return own
            ? [aRow(index + 1, { state: own.state, holdId: `h${own.hold}-${Math.floor(index / 20)}`, buyerId: `b${own.hold}` })]
            : [];
        });
        const load = aLoad(sale);
        await load.begin();
        const shuffled = rows.toSorted((a, b) => ((Number(a.unit) * 7) % 41) - ((Number(b.unit) * 7) % 41));
        const chunks = Array.from({ length: Math.ceil(rows.length / chunkSize) }, (_, n) =>
          shuffled.slice(n * chunkSize, (n + 1) * chunkSize),
        );
        await Promise.all(chunks.map((chunk) => load.units(chunk)));
        const next = Math.max(0, ...rows.map(({ unit }) => Number(unit))) + 1;
        const gaps = serials(1, next - 1).filter((unit) => !rows.some((row) => row.unit === unit));
        // Neighbours in one range: the pool joins what touches.
        const ranges = gaps.reduce<[number, number][]>((found, unit) => {
          const last = found.at(-1);
          if (last?.[1] === Number(unit) - 1) last[1] = Number(unit);
          else found.push([Number(unit), Number(unit)]);
          return found;
        }, []);
        if (ranges.length > 0) await load.free('tee', ...ranges);
        expect(await load.publish([{ sku: 'tee', next, free: gaps.length }])).toEqual({ outcome: 'LOADED' });

        const holds = await holdsOf(sale.saleId);
        const inHolds = [...holds.values()].flatMap(({ holdId, lines }) =>
          lines.flatMap(({ units }) => units.map((unit) => `${unit} ${holdId}`)),
        );
        const alive = rows.filter(({ state }) => state !== 'RETIRED');
        expect(inHolds.sort()).toEqual(alive.map(({ unit, holdId }) => `${unit} ${holdId}`).sort());
        const free = owners.length - rows.length;
        expect(await bench.stock.read(sale.saleId)).toMatchObject({ items: [{ available: free }] });
        for (let taken = 0; taken < free; taken += 20) {
          const quantity = Math.min(20, free - taken);
          const got = (await held(bench, sale.saleId, { buyerId: 'zoe', lines: [{ sku: 'tee', quantity }] })).lines[0]?.units ?? [];
          expect(got.filter((unit) => rows.some((row) => row.unit === unit))).toEqual([]);
        }
        expect(await bench.stock.reserve(aRequest(sale.saleId))).toMatchObject({ outcome: 'SOLD_OUT', available: 0, behind: true });
      }),
      { numRuns: 40 },
    );
  });
});

describe('read', () => {
  it('shows the sale as it was loaded, with the time of Redis', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 3, holdSeconds: 60 });
    const { saleId: _, epoch, version, control, opensAtMs, closesAtMs } = sale;
    const state = await bench.stock.read(sale.saleId);
    const items = [{ sku: 'tee', total: 10, available: 10, given: 0 }];
    expect(state).toMatchObject({ outcome: 'READ', epoch, version, control, opensAtMs, closesAtMs, limit: 3, holdMs: 60_000, items });
    if (state.outcome === 'READ') expect(Math.abs((await bench.stock.nowMs()) - state.nowMs)).toBeLessThan(5_000);
  });

  it('says that it does not know a sale', async () => {
    expect(await bench.stock.read('nowhere')).toEqual({ outcome: 'NOT_LOADED' });
  });
});
