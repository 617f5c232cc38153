import { describe, expect, it } from 'vitest';
import { type AuditedOrder, SaleAudit } from '../../../functions/operations/audit.model.ts';
import { Findings } from '../../../functions/operations/findings.model.ts';
import { StockPicture } from '../../../functions/operations/stock-picture.model.ts';
import { ItemAudit, type OrderOfUnits, type UnitRow } from '../../../functions/operations/unit-audit.model.ts';
import type { OrderStatus } from '../../../functions/orders/order.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import type { UnitState } from '../../../functions/stock/stock.model.ts';
import { anOrder } from '../../support/orders.ts';

const tee = { sku: 'tee', name: 'Tee', priceMinor: 1, currency: 'EUR', total: 5, seated: false };
const hall = { ...tee, sku: 'hall', total: 2, seated: true };
const row = (unit: string, state: UnitState = 'HELD', sku = 'tee'): UnitRow => ({ sku, unit, orderId: 'a', state });
const order = (status: OrderStatus, units: readonly string[], changes: Partial<OrderOfUnits> = {}): OrderOfUnits => ({
  orderId: 'a',
  status,
  items: [{ sku: 'tee', quantity: units.length, units, priceMinor: 1 }],
  ...changes,
});

function audited(rows: readonly UnitRow[], orders: readonly OrderOfUnits[], item = tee) {
  const findings = new Findings(20);
  const audit = new ItemAudit(item, item.seated ? ['A-1', 'A-2'] : [], findings);
  for (const each of rows) audit.seeRow(each);
  for (const each of orders) audit.seeOrder(each);
  const counts = audit.conclude((orderId) => orders.some((each) => each.orderId === orderId));
  return { counts, found: [...findings.shown] };
}

describe('an item’s rows', () => {
  it('are counted by their states, and the rest of the total is available', () => {
    const { counts } = audited([row('1'), row('2', 'SOLD'), row('3', 'SOLD'), row('4', 'RETIRED')], []);
    expect(counts).toStrictEqual({ sku: 'tee', total: 5, available: 1, held: 1, sold: 2, retired: 1 });
  });

  it('are of units that were put on sale', () => {
    const on = order('RESERVED', ['5', '6', '0', '-1', 'A-1', '1e0', '05']);
    expect(audited(on.items[0]?.units.map((unit) => row(unit)) ?? [], [on]).found).toStrictEqual(
      ['6', '0', '-1', 'A-1', '1e0', '05'].map((unit) => `tee ${unit} was never put on sale`),
    );
    const seats = { items: [{ sku: 'hall', quantity: 2, units: ['A-1', 'B-9'], priceMinor: 1 }] };
    expect(audited([row('A-1', 'HELD', 'hall'), row('B-9', 'HELD', 'hall')], [order('RESERVED', [], seats)], hall).found).toStrictEqual([
      'hall B-9 was never put on sale',
    ]);
  });

  it.each([
    ['RESERVED', 'HELD'],
    ['CONFIRMED', 'SOLD'],
    ['FULFILLED', 'SOLD'],
    ['REFUNDING', 'SOLD'],
  ] as const)('of an order that is %s are %s', (status, state) => {
    expect(audited([row('1', state)], [order(status, ['1'])]).found).toStrictEqual([]);
    const other = state === 'HELD' ? 'SOLD' : 'HELD';
    expect(audited([row('1', other)], [order(status, ['1'])]).found).toStrictEqual([`tee 1 is ${other}, and its order a is ${status}`]);
    expect(audited([], [order(status, ['1'])]).found).toStrictEqual([`a is ${status} and lists tee 1, whose row it does not have`]);
    expect(audited([{ ...row('1', state), orderId: 'b' }], [order(status, ['1'])]).found).toStrictEqual([
      `a is ${status} and lists tee 1, whose row it does not have`,
      'tee 1 belongs to b, which is not an order of this sale',
    ]);
  });

  it.each(['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED', 'PENDING'] as const)('are none of an order that is %s', (status) => {
    expect(audited([], [order(status, ['1'])]).found).toStrictEqual([]);
    expect(audited([row('1')], [order(status, ['1'])]).found).toStrictEqual([`tee 1 is HELD, and its order a is ${status}`]);
  });

  it.each(['REFUNDED', 'CANCELLED'] as const)('stay, out of the sale, with an order that took them along when it was %s', (status) => {
    const retired = order(status, ['1'], { takenBack: { reason: 'a test', units: 'retire' } });
    expect(audited([row('1', 'RETIRED')], [retired]).found).toStrictEqual([]);
    expect(audited([], [retired]).found).toStrictEqual([`a is ${status} and lists tee 1, whose row it does not have`]);
    const freed = order(status, ['1'], { takenBack: { reason: 'a test', units: 'free' } });
    expect(audited([row('1', 'RETIRED')], [freed]).found).toStrictEqual([`tee 1 is RETIRED, and its order a is ${status}`]);
  });

  it('stay with no order that ended otherwise, whatever was to become of them', () => {
    const failed = order('FAILED', ['1'], { takenBack: { reason: 'a test', units: 'retire' } });
    expect(audited([], [failed]).found).toStrictEqual([]);
  });

  it('are listed by their orders', () => {
    expect(audited([row('1'), row('2')], [order('RESERVED', ['1'])]).found).toStrictEqual(['tee 2 belongs to a, which does not list it']);
  });

  it('are held against the lines of their own item', () => {
    const other = order('RESERVED', [], { items: [{ sku: 'cap', quantity: 1, units: ['1'], priceMinor: 1 }] });
    expect(audited([row('1')], [other]).found).toStrictEqual(['tee 1 belongs to a, which does not list it']);
  });
});

describe('a sale’s audit', () => {
  const sale: Sale = {
    saleId: 'sale',
    name: 'sale',
    opensAtMs: 0,
    closesAtMs: 1,
    strategy: 'reserve-first',
    holdSeconds: 1,
    control: 'open',
    version: 3,
    epoch: 1,
    currency: 'EUR',
    items: [tee, hall],
    createdAtMs: 0,
  };
  const holdId = 'AAAAAAAAAAAAAAAAAAAAAA';
  const reserved: AuditedOrder = anOrder({ holdId, orderId: orderIdOf(holdId) });
  const stockOf = (teeAvailable: number, version = 3) => {
    const picture = new StockPicture({
      version,
      items: [
        { sku: 'tee', total: 5, available: teeAvailable, given: 1 },
        { sku: 'hall', total: 2, available: 2, given: 0 },
      ],
    });
    picture.seeHold({ holdId, state: 'acknowledged', lines: [{ sku: 'tee', units: ['1'] }] });
    for (const seat of ['A-1', 'A-2']) picture.seeSeat({ sku: 'hall', seat, state: 'free' });
    return picture;
  };
  const audit = (stock: Parameters<SaleAudit['conclude']>[0], { without = false } = {}) => {
    const looking = new SaleAudit(sale, new Map([['hall', ['A-1', 'A-2']]]));
    looking.seeUnit({ sku: 'tee', unit: '1', orderId: reserved.orderId, state: 'HELD' });
    if (!without) looking.seeOrder(reserved);
    const result = looking.conclude(stock);
    return { looking, result };
  };
  const conserved = ({ result }: ReturnType<typeof audit>) => result.items.map((item) => item.conserved);

  it('knows whom its rows and orders name', () => {
    const { looking } = audit(stockOf(4));
    expect([...looking.owners]).toStrictEqual([reserved.orderId]);
    expect([...looking.buyers]).toStrictEqual(['ada']);
  });

  it('calls everything right that is', () => {
    const { result } = audit(stockOf(4));
    expect(result.items).toMatchObject([
      { sku: 'tee', available: 4, held: 1, conserved: true },
      { sku: 'hall', available: 2, conserved: true },
    ]);
    expect(result).toMatchObject({ money: { balanced: true }, redis: { agrees: true, drift: [] }, findings: { count: 0, shown: [] } });
  });

  it('calls no item conserved of which Redis shows nothing', () => {
    for (const [seen, words] of [
      ['not-loaded', 'Redis does not have the sale'],
      ['unreadable', 'Redis could not be read'],
    ] as const) {
      const found = audit(seen);
      expect(conserved(found)).toStrictEqual([false, false]);
      expect(found.result.redis).toStrictEqual({ agrees: false, drift: [words] });
    }
  });

  it('says that Redis has another version of the sale, or lacks an item', () => {
    expect(audit(stockOf(4, 2)).result.redis).toStrictEqual({ agrees: false, drift: ['the sale is at version 3, Redis at 2'] });
    const found = audit(new StockPicture({ version: 3, items: [] }));
    expect(conserved(found)).toStrictEqual([false, false]);
    expect(found.result.redis.drift).toStrictEqual(['tee is not in Redis', 'hall is not in Redis']);
  });

  it('calls the one item wrong that does not add up', () => {
    expect(conserved(audit(stockOf(3)))).toStrictEqual([false, true]);
    const found = audit(stockOf(4), { without: true });
    expect(conserved(found)).toStrictEqual([false, true]);
    expect(found.result.findings).toStrictEqual({
      count: 1,
      shown: [`tee 1 belongs to ${reserved.orderId}, which is not an order of this sale`],
    });
  });

  it('shows the first of much drift, and counts the rest', () => {
    const picture = stockOf(4);
    for (let number = 0; number < 120; number++) picture.seeSeat({ sku: 'hall', seat: `X-${number}`, state: 'suspect' });
    const { drift, agrees } = audit(picture).result.redis;
    expect(agrees).toBe(false);
    expect(drift).toHaveLength(101);
    // Each of them was never listed, and is under suspicion without an owner; the counters of the item are right.
    expect(drift.at(-1)).toMatch(/^and \d+ more$/);
    expect(Number(drift.at(-1)?.split(' ')[1])).toBeGreaterThan(100);
  });

  it('takes no notice of a hold that has ended, or of an item that the sale does not have', () => {
    const picture = stockOf(4);
    picture.seeHold({ holdId: 'BBBBBBBBBBBBBBBBBBBBBA', state: 'ended', lines: [{ sku: 'tee', units: ['2'] }] });
    picture.seeHold({ holdId: 'BBBBBBBBBBBBBBBBBBBBBA', state: 'held', lines: [{ sku: 'cap', units: ['2'] }] });
    picture.seeFree({ sku: 'cap', first: 1, last: 2 });
    picture.seeSuspects({ sku: 'cap', first: 1, last: 2 });
    picture.seeSeat({ sku: 'cap', seat: 'A-1', state: 'free' });
    expect(audit(picture).result.redis).toStrictEqual({ agrees: true, drift: [] });
  });

  it('sees by its state whether an order has a hold', () => {
    const drifts = (['held', 'acknowledged', 'confirmed', 'cart'] as const).map((state) => {
      const picture = new StockPicture({ version: 3, items: [{ sku: 'tee', total: 5, available: 4, given: 1 }] });
      picture.seeHold({ holdId, state, lines: [{ sku: 'tee', units: ['1'] }] });
      return picture.items.get('tee')?.holders.get('1');
    });
    expect(drifts).toStrictEqual([false, true, true, false].map((hasOrder) => [{ orderId: orderIdOf(holdId), hasOrder }]));
  });

  it('finds what came back, and what is under suspicion, by item', () => {
    const picture = stockOf(4);
    picture.seeFree({ sku: 'tee', first: 2, last: 2 });
    picture.seeSuspects({ sku: 'tee', first: 3, last: 3 });
    expect(picture.items.get('tee')?.isFree('2')).toBe(true);
    expect(picture.items.get('tee')?.isSuspect('3')).toBe(true);
  });
});
