import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparedRow, SalePicture } from '../../../functions/reconciliation/sale-picture.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';

const nowMs = 1_000_000;
const item = (total: number, next: number, free: number) => ({ sku: 'tee', seated: false, total, next, free });
const hold = (holdId: string, units: readonly number[], changes: object = {}) => ({
  holdId,
  buyerId: `buyer of ${holdId}`,
  payloadHash: 'hash',
  bornUs: 1,
  expiresAtMs: nowMs + 1_000,
  lines: [{ sku: 'tee', units: units.map(String) }],
  slots: [],
  state: 'acknowledged' as const,
  ...changes,
});
const row = (holdId: string, unit: number, changes: Partial<ComparedRow> = {}): ComparedRow => ({
  sku: 'tee',
  unit: String(unit),
  orderId: orderIdOf(holdId),
  buyerId: `buyer of ${holdId}`,
  state: 'HELD',
  atMs: 0,
  ...changes,
});
const orders = (picture: SalePicture) => [...picture.orders()].map(({ orderId }) => orderId);

describe('a sale’s picture', () => {
  it('of any sale that is right shows nothing to look into', () => {
    // Each unit is free, in an order's hold, in a hold without an order, in a cart, or out of sale.
    const fates = fc.array(fc.constantFrom('free', 'order', 'held', 'cart', 'retired'), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fates, fc.nat(5), (given, ahead) => {
        const free = given.filter((fate) => fate === 'free').length;
        const picture = new SalePicture([item(given.length + ahead, given.length + 1, free)], nowMs, 10);
        for (const [index, fate] of given.entries()) {
          const serial = index + 1;
          if (fate === 'free') picture.seeFree({ sku: 'tee', first: serial, last: serial });
          if (fate === 'order') picture.seeHold(hold(`h${serial}`, [serial]));
          if (fate === 'held') picture.seeHold(hold(`h${serial}`, [serial], { state: 'held' }));
          if (fate === 'cart') picture.seeHold(hold(`h${serial}`, [serial], { state: 'cart' }));
          if (fate === 'retired') picture.seeHold(hold(`h${serial}`, [], { state: 'ended' }));
        }
        for (const [index, fate] of given.entries()) if (fate === 'cart') picture.seeCartListed(`h${index + 1}`, nowMs + 1_000);
        for (const [index, fate] of given.entries()) {
          if (fate === 'order') picture.seeRow(row(`h${index + 1}`, index + 1));
          if (fate === 'retired') picture.seeRow(row(`h${index + 1}`, index + 1, { state: 'RETIRED' }));
          if (fate === 'order' || fate === 'retired') picture.seeOrder(orderIdOf(`h${index + 1}`), 0);
        }
        expect(orders(picture)).toEqual([]);
        expect([...picture.drift()]).toEqual([]);
      }),
    );
  });

  it('shows the units that are nowhere, those that were given out alone', () => {
    const picture = new SalePicture([item(10, 6, 1)], nowMs, 10);
    picture.seeFree({ sku: 'tee', first: 2, last: 2 });
    picture.seeSuspects({ sku: 'tee', first: 3, last: 3 });
    picture.seeRow(row('gone', 4));
    expect([...picture.drift()]).toMatchObject([{ kind: 'unit-leaked', sku: 'tee', serials: [1, 5] }]);
    expect(orders(picture)).toEqual([orderIdOf('gone')]);
  });

  it('leaves out what happened a moment ago', () => {
    const picture = new SalePicture([item(10, 6, 0)], nowMs, 10);
    picture.seeHold(hold('a', [1, 2, 3, 4, 5], { state: 'held', expiresAtMs: nowMs - 5 }));
    picture.seeRow(row('late', 1, { atMs: nowMs - 5 }));
    picture.seeOrder(orderIdOf('later'), nowMs - 5);
    expect(orders(picture)).toEqual([]);
    expect([...picture.drift()]).toEqual([]);
  });

  it('of a million units, all sold, is made in seconds and some hundred megabytes', () => {
    const units = 1_000_000;
    const perOrder = 4;
    const holds = units / perOrder;
    const before = process.memoryUsage();
    const picture = new SalePicture([item(units, units + 1, 0)], nowMs, 10);
    const serialsOf = (n: number) => Array.from({ length: perOrder }, (_, index) => n * perOrder + index + 1);
    for (let n = 0; n < holds; n++) picture.seeHold(hold(`hold-number-${n}`, serialsOf(n)));
    for (let n = 0; n < holds; n++) for (const serial of serialsOf(n)) picture.seeRow(row(`hold-number-${n}`, serial));
    const after = process.memoryUsage();
    expect(picture.counted).toEqual({ rows: units, holds });
    expect(orders(picture)).toEqual([]);
    expect([...picture.drift()]).toEqual([]);
    // What can be collected is counted too, so this is far above what is kept.
    expect((after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20).toBeLessThan(800);
  });
});
