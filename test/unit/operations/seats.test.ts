import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../../functions/orders/order.model.ts';
import type { PlaceOrder } from '../../../functions/orders/order.schemas.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { stockKeys } from '../../../functions/stock/stock.scripts.ts';
import { auditPortsOf, auditWith, driven, openFunded } from '../../support/audits.ts';
import { type Engine, startEngine } from '../../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const names = ['A-1', 'A-2', 'B-1', '7'];
const price = 2_500;
let halls = 0;
const newHall = () => engine.openHall(`hall-${++halls}`, names, { units: 10, perBuyerLimit: 20 });

const audit = (sale: Sale, seats: readonly string[] = names) =>
  auditWith(auditPortsOf(engine.database, sale, { stock: engine.stock, seats: new Map([['hall', seats]]) }), sale.saleId);

async function order(sale: Sale, buyer: string, items: PlaceOrder['items'], method: 'balance' | 'external' = 'balance'): Promise<Order> {
  const buyerId = `${buyer}-${sale.saleId}`;
  if (method === 'balance') await openFunded(engine, buyerId);
  const placed = await engine.order(sale.saleId, buyerId, items, { method });
  if (!('order' in placed)) throw new Error(placed.outcome);
  return method === 'balance' ? driven(engine, placed.order) : placed.order;
}

const putSeat = (sale: Sale, seat: string, owner: string) => engine.redis.hset(stockKeys(sale.saleId).seats, `hall|${seat}`, owner);
const setState = (sale: Sale, sku: string, unit: string, state: string) =>
  engine.database.send(
    new UpdateCommand({
      TableName: 'units',
      Key: { bucket: unitBucket(sale.saleId, sku, unit), unit },
      UpdateExpression: 'SET #state = :state',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':state': state },
    }),
  );

const clean = { redis: { agrees: true, drift: [] }, money: { balanced: true } };

/** A hall with a seat sold, a seat held, two free ones, and two of the counted units sold. */
async function soldHall() {
  const sale = await newHall();
  const sold = await order(sale, 'ada', [
    { sku: 'hall', seats: ['A-1'] },
    { sku: 'tee', quantity: 2 },
  ]);
  const held = await order(sale, 'ben', [{ sku: 'hall', seats: ['7'] }], 'external');
  return { sale, sold, held };
}

describe('the audit of a hall', () => {
  it('accounts for every seat, sold, held or free, also one that is named like a number', async () => {
    const { sale, sold } = await soldHall();
    expect(sold.status).toBe('FULFILLED');
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [
        { sku: 'hall', total: 4, available: 2, held: 1, sold: 1, retired: 0, conserved: true },
        { sku: 'tee', total: 10, available: 8, held: 0, sold: 2, retired: 0, conserved: true },
      ],
    });
  });

  it('counts seats of a hold that has no order yet as free by their rows, and as accounted for by Redis', async () => {
    const sale = await newHall();
    const lines = [{ sku: 'hall', quantity: 2, seats: ['A-1', 'B-1'] }];
    await engine.stock.reserve({ saleId: sale.saleId, holdId: 'cart', buyerId: 'ada', payloadHash: 'p', lines });
    expect(await audit(sale)).toMatchObject({ ...clean, items: [{ available: 4, held: 0, conserved: true }, {}] });
  });

  it('finds a row of a seat that is not in the list', async () => {
    const { sale } = await soldHall();
    const found = await audit(
      sale,
      names.filter((name) => name !== 'A-1'),
    );
    expect(found).toMatchObject({ items: [{ conserved: false }, { conserved: true }], redis: { agrees: false } });
    expect(found.redis.drift).toContain('hall A-1 is in Redis, and was never put on sale');
  });

  const tampered: readonly [string, (sale: Sale) => Promise<unknown>, string][] = [
    ['would be sold again', (sale) => putSeat(sale, 'A-1', ''), 'and is for sale in Redis'],
    ['is under suspicion', (sale) => putSeat(sale, 'A-1', '?'), 'and is under suspicion in Redis'],
    ['is retired while it is a buyer’s', (sale) => putSeat(sale, 'A-1', '-'), 'and is out of sale in Redis'],
    ['is retired and nobody’s', (sale) => putSeat(sale, 'B-1', '-'), 'hall B-1 is out of sale in Redis, and has no row that says so'],
    ['has a hold that does not exist', (sale) => putSeat(sale, 'B-1', 'no-hold'), 'ord_no-hold, whose hold does not name it'],
    ['is missing', (sale) => engine.redis.hdel(stockKeys(sale.saleId).seats, 'hall|B-1'), 'hall B-1 is not in Redis'],
    ['is one that was never put on sale', (sale) => putSeat(sale, 'Z-9', ''), 'hall Z-9 is in Redis, and was never put on sale'],
  ];
  it.each(tampered)('finds a seat that in Redis %s', async (_, tamper, words) => {
    const { sale } = await soldHall();
    await tamper(sale);
    const found = await audit(sale);
    expect(found).toMatchObject({ items: [{}, { conserved: true }], money: { balanced: true }, redis: { agrees: false } });
    expect(found.redis.drift.join('\n')).toContain(words);
  });
});

describe('units that were taken back', () => {
  it('are retired after a refund of a fulfilled order, belong to nobody, and their money went back', async () => {
    const { sale, sold } = await soldHall();
    await engine.refund(sold.orderId);
    const going = await audit(sale);
    expect(going).toMatchObject({
      ...clean,
      items: [{ sold: 1, retired: 0, conserved: true }, { sold: 2 }],
      money: { capturedMinor: 3 * price, fulfilledMinor: 0, refundedMinor: 0, balanced: true },
    });

    expect(await driven(engine, sold)).toMatchObject({ status: 'REFUNDED', stock: 'released' });
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [
        { total: 4, available: 2, held: 1, sold: 0, retired: 1, conserved: true },
        { total: 10, available: 8, held: 0, sold: 0, retired: 2, conserved: true },
      ],
      money: { capturedMinor: 3 * price, fulfilledMinor: 0, refundedMinor: 3 * price, balanced: true },
    });
  });

  it('are for sale again when the operator says so', async () => {
    const { sale, sold } = await soldHall();
    await engine.refund(sold.orderId, { returnUnits: true });
    await driven(engine, sold);
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [
        { available: 3, sold: 0, retired: 0, conserved: true },
        { available: 10, sold: 0, retired: 0, conserved: true },
      ],
      money: { refundedMinor: 3 * price, balanced: true },
    });
  });

  it('leave a clean audit when the whole sale was called off', async () => {
    const { sale, sold, held } = await soldHall();
    for (const each of [sold, held]) {
      const stored = await engine.orders.get(each.orderId);
      if (stored) await engine.endForGood(stored);
      await driven(engine, each);
    }
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [
        { available: 2, held: 0, sold: 0, retired: 2, conserved: true },
        { available: 8, held: 0, sold: 0, retired: 2, conserved: true },
      ],
      money: { authorisedMinor: 0, capturedMinor: 3 * price, refundedMinor: 3 * price, balanced: true },
    });
  });

  it('are found when their order lives', async () => {
    const { sale } = await soldHall();
    await setState(sale, 'hall', 'A-1', 'RETIRED');
    await setState(sale, 'tee', '1', 'RETIRED');
    const found = await audit(sale);
    expect(found).toMatchObject({
      items: [
        { retired: 1, conserved: false },
        { retired: 1, conserved: false },
      ],
      redis: { agrees: false },
    });
    expect(found.redis.drift).toEqual([
      expect.stringContaining('hall A-1 is out of sale, and Redis holds it for'),
      expect.stringContaining('tee 1 is out of sale, and Redis holds it for'),
    ]);
  });

  it('are found when Redis would sell them', async () => {
    const { sale, sold } = await soldHall();
    await engine.refund(sold.orderId, { returnUnits: true });
    await driven(engine, sold);
    const row = { saleId: sale.saleId, orderId: sold.orderId, buyerId: 'ada', state: 'RETIRED', atMs: 1 };
    for (const [sku, unit] of [
      ['hall', 'A-1'],
      ['tee', '1'],
    ] as const)
      await engine.database.send(
        new PutCommand({ TableName: 'units', Item: { ...row, sku, unit, bucket: unitBucket(sale.saleId, sku, unit) } }),
      );
    const found = await audit(sale);
    expect(found).toMatchObject({ items: [{ conserved: false }, { conserved: false }], redis: { agrees: false } });
    expect(found.redis.drift).toEqual(
      expect.arrayContaining(['hall A-1 is out of sale, and is for sale in Redis', 'tee 1 is out of sale, and is for sale in Redis']),
    );
  });
});
