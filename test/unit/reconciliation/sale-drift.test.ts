import { describe, expect, it } from 'vitest';
import { driftOfSale, type SaleSeen } from '../../../functions/reconciliation/sale-drift.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';

const item = { name: 'Tee', priceMinor: 1, currency: 'EUR', seated: false };
const sale: Sale = {
  saleId: 'sale',
  name: 'sale',
  opensAtMs: 10,
  closesAtMs: 20,
  strategy: 'reserve-first',
  holdSeconds: 0.3,
  perBuyerLimit: 4,
  control: 'paused',
  version: 3,
  epoch: 1,
  currency: 'EUR',
  items: [
    { ...item, sku: 'tee', total: 5 },
    { ...item, sku: 'cap', total: 6 },
  ],
  createdAtMs: 0,
};
const seen: SaleSeen = {
  version: 3,
  control: 'paused',
  opensAtMs: 10,
  closesAtMs: 20,
  limit: 4,
  holdMs: 300,
  items: [
    { sku: 'tee', total: 5 },
    { sku: 'cap', total: 6 },
  ],
};
const { perBuyerLimit: _, ...unlimited } = sale;

describe('what Redis says of a sale', () => {
  it('is right where each field is the copy’s', () => {
    expect(driftOfSale(sale, seen)).toBeUndefined();
    expect(driftOfSale(unlimited, { ...seen, limit: 0 })).toBeUndefined();
    expect(driftOfSale({ ...sale, cancellation: { reason: 'rain', atMs: 1 } }, { ...seen, control: 'cancelled' })).toBeUndefined();
    // More on sale than we know of is a restock of which we do not know yet.
    expect(driftOfSale(sale, { ...seen, items: [...seen.items.slice(0, 1), { sku: 'cap', total: 7 }] })).toBeUndefined();
  });

  it('is not judged by an older copy', () => {
    expect(driftOfSale(sale, { ...seen, version: 4, control: 'closed' })).toBeUndefined();
  });

  it.each([
    [{ version: 2 }, 'version is 2, not 3'],
    [{ control: 'open' }, 'control is open, not paused'],
    [{ opensAtMs: 11 }, 'opensAtMs is 11, not 10'],
    [{ closesAtMs: 21 }, 'closesAtMs is 21, not 20'],
    [{ limit: 5 }, 'limit is 5, not 4'],
    [{ holdMs: 301 }, 'holdMs is 301, not 300'],
    [{ items: [{ sku: 'tee', total: 4 }] }, 'the total of tee is 4, not 5, the total of cap is 0, not 6'],
    [{ control: 'open', limit: 0 }, 'control is open, not paused, limit is 0, not 4'],
  ])('is behind when %j', (changes, detail) => {
    expect(driftOfSale(sale, { ...seen, ...changes })).toStrictEqual({ kind: 'sale-behind', subject: 'sale', detail, about: 'sale' });
  });
});
