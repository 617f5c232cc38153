import { describe, expect, it } from 'vitest';
import { byItem, collisionOf } from '../../../functions/orders/collision.model.ts';
import type { Claimed } from '../../../functions/orders/order.writes.ts';

const unit = (name: string, changes: { sku?: string; seated?: true } = {}): Claimed => ({
  kind: 'unit',
  sku: 'tee',
  unit: name,
  ...changes,
});
const slot = (number: number): Claimed => ({ kind: 'slot', slot: number });
const order: Claimed = { kind: 'order' };
const of = (orderId: string) => ({ orderId });

describe('what stood in the way of a claim', () => {
  it('is units and slots of others, each by the place of its write', () => {
    const about = [order, unit('1'), unit('2'), slot(1), slot(2)];
    const refusals = [
      { index: 2, item: of('other') },
      { index: 4, item: of('another') },
    ];
    expect(collisionOf('mine', refusals, about)).toStrictEqual({ units: [{ sku: 'tee', units: ['2'] }], slots: [2] });
  });

  it('is nothing that stands under the order’s own id', () => {
    const about = [order, unit('1'), unit('2'), slot(1)];
    const refusals = [1, 2, 3].map((index) => ({ index, item: of(index === 2 ? 'other' : 'mine') }));
    expect(collisionOf('mine', refusals, about)).toStrictEqual({ units: [{ sku: 'tee', units: ['2'] }], slots: [] });
  });

  it('is also what was refused without being shown, and never the order or a write that is about nothing', () => {
    const about = [order, unit('1'), slot(3)];
    const refusals = [0, 1, 2, 7].map((index) => ({ index, item: undefined }));
    expect(collisionOf('mine', refusals, about)).toStrictEqual({ units: [{ sku: 'tee', units: ['1'] }], slots: [3] });
  });

  it('is grouped by item in the order of first mention, and seats stay seats', () => {
    const units = [
      { sku: 'hall', unit: 'B-2', seated: true as const },
      { sku: 'tee', unit: '4' },
      { sku: 'hall', unit: 'A-1', seated: true as const },
    ];
    expect(byItem(units)).toStrictEqual([
      { sku: 'hall', units: ['B-2', 'A-1'], seated: true },
      { sku: 'tee', units: ['4'] },
    ]);
    expect(byItem([])).toStrictEqual([]);
  });
});
