import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SaleAudit } from '../../../functions/operations/audit.model.ts';
import { type AuditStock, auditOf } from '../../../functions/operations/audit-sale.ts';
import { cancelOrder } from '../../../functions/orders/cancel.ts';
import type { Order } from '../../../functions/orders/order.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { systemClock as clock } from '../../../functions/shared/clock.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { auditPortsOf, auditWith, driven, openFunded } from '../../support/audits.ts';
import { type Engine, startEngine } from '../../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

let sales = 0;
const newSale = (units = 10) => engine.openSale(`audited-${++sales}`, units, { perBuyerLimit: 20 });
const open = (userId: string, balanceMinor?: number) => openFunded(engine, userId, balanceMinor);
const drive = (order: Order) => driven(engine, order);

async function place(sale: Sale, buyerId: string, quantity: number, method: 'balance' | 'external' = 'balance'): Promise<Order> {
  const placed = await engine.place(sale.saleId, buyerId, { quantity, method });
  if (!('order' in placed)) throw new Error(placed.outcome);
  return placed.order;
}

const portsOf = (sale: Sale | undefined, stock: AuditStock = engine.stock) => auditPortsOf(engine.database, sale, { stock });
const audit = (sale: Sale, stock?: AuditStock) => auditWith(portsOf(sale, stock), sale.saleId);

/** What the log gets to read of an audit. */
async function findings(sale: Sale): Promise<readonly string[]> {
  const { rows, ledgers } = portsOf(sale);
  const seen = new SaleAudit(sale, new Map());
  await rows.units(sale, (row) => seen.seeUnit(row));
  await rows.orders(sale.saleId, seen.owners, (order) => seen.seeOrder(order));
  await ledgers.ofUsers(seen.buyers, (ledger) => seen.seeLedger(ledger));
  return seen.conclude('not-loaded').findings.shown;
}

const clean = { redis: { agrees: true, drift: [] }, money: { balanced: true } };
const price = 2_500;

describe('the audit of a sale', () => {
  it('accounts for every unit and all money, whatever has become of the orders', async () => {
    const sale = await newSale(20);
    for (const buyer of ['paid', 'kept', 'poor', 'left']) await open(`${buyer}-${sale.saleId}`, buyer === 'poor' ? 1 : 100_000);
    const of = (buyer: string) => `${buyer}-${sale.saleId}`;
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [{ total: 20, available: 20, held: 0, sold: 0, retired: 0, conserved: true }],
    });

    expect(await drive(await place(sale, of('paid'), 3))).toMatchObject({ status: 'FULFILLED' });
    await place(sale, of('kept'), 2, 'external');
    expect(await drive(await place(sale, of('poor'), 4))).toMatchObject({ status: 'FAILED' });
    const left = await place(sale, of('left'), 5, 'external');
    await cancelOrder(left, { orders: engine.orders, compensate: engine.steps.compensate, clock });
    expect(await drive(left)).toMatchObject({ status: 'CANCELLED', stock: 'released' });

    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [{ sku: 'tee', total: 20, available: 15, held: 2, sold: 3, retired: 0, conserved: true }],
      money: { authorisedMinor: 0, capturedMinor: 3 * price, fulfilledMinor: 3 * price, refundedMinor: 0, balanced: true },
    });
  });

  it('counts what is set aside as outstanding, what is captured, and what went back', async () => {
    const sale = await newSale();
    await open(`ada-${sale.saleId}`);
    const charged = await engine.steps.charge(await place(sale, `ada-${sale.saleId}`, 2));
    const figures = async () => (await audit(sale)).money;
    expect(await figures()).toMatchObject({ authorisedMinor: 2 * price, capturedMinor: 0, balanced: true });

    const captured = await engine.steps.charge((await engine.steps.confirm(charged.order)).order);
    expect(captured.order).toMatchObject({ status: 'CONFIRMED', payment: { state: 'captured' } });
    expect(await figures()).toMatchObject({ authorisedMinor: 0, capturedMinor: 2 * price, fulfilledMinor: 0, balanced: true });

    await cancelOrder(captured.order, { orders: engine.orders, compensate: engine.steps.compensate, clock });
    expect(await drive(captured.order)).toMatchObject({ status: 'REFUNDED' });
    expect(await audit(sale)).toMatchObject({
      ...clean,
      items: [{ available: 10, held: 0, sold: 0, conserved: true }],
      money: { authorisedMinor: 0, capturedMinor: 2 * price, fulfilledMinor: 0, refundedMinor: 2 * price, balanced: true },
    });
  });

  it('counts a hold that has no order yet as free by its rows, and as accounted for by Redis', async () => {
    const sale = await newSale();
    await engine.stock.reserve({
      saleId: sale.saleId,
      holdId: 'cart',
      buyerId: 'ada',
      payloadHash: 'p',
      lines: [{ sku: 'tee', quantity: 3 }],
    });
    expect(await audit(sale)).toMatchObject({ ...clean, items: [{ available: 10, held: 0, conserved: true }] });
  });

  it('counts by rows, and calls nothing conserved, when Redis has lost the sale', async () => {
    const sale = await newSale();
    await place(sale, 'ada', 1, 'external');
    await engine.redis.del(`{${sale.saleId}}:sale`);
    expect(await audit(sale)).toMatchObject({
      items: [{ available: 9, held: 1, conserved: false }],
      money: { balanced: true },
      redis: { agrees: false, drift: ['Redis does not have the sale'] },
    });
  });

  it('counts by rows, and calls nothing conserved that it could not see, when Redis does not answer', async () => {
    const sale = await newSale();
    await place(sale, 'ada', 1, 'external');
    const away = async () => {
      throw new Error('no answer');
    };
    expect(await audit(sale, { ...engine.stock, read: away })).toMatchObject({
      items: [{ available: 9, held: 1, conserved: false }],
      money: { balanced: true },
      redis: { agrees: false, drift: ['Redis could not be read'] },
    });
  });

  it('never fails while orders are placed, driven and cancelled, and is exact once they are done', async () => {
    const sale = await newSale(60);
    const buyers = Array.from({ length: 20 }, (_, index) => `buyer-${index}-${sale.saleId}`);
    for (const buyer of buyers) await open(buyer);
    let busy = true;
    const shopping = Promise.all(
      buyers.map(async (buyer, index) => {
        const order = await place(sale, buyer, 2);
        if (index % 4 === 0) await cancelOrder(order, { orders: engine.orders, compensate: engine.steps.compensate, clock });
        await drive(order);
      }),
    ).finally(() => {
      busy = false;
    });
    while (busy) expect(await audit(sale)).toMatchObject({ items: [{ sku: 'tee', total: 60 }] });
    await shopping;
    expect(await audit(sale)).toMatchObject({ ...clean, items: [{ available: 30, held: 0, sold: 30, conserved: true }] });
  });

  it('of a sale that nobody made is not found', async () => {
    expect(await auditOf('nobody-made', portsOf(undefined))).toEqual({ outcome: 'not-found' });
  });
});

describe('the audit finds', () => {
  /** A sale with one fulfilled order of units 1 and 2, and one external order of unit 3. */
  async function soldSale() {
    const sale = await newSale();
    const buyerId = `ada-${sale.saleId}`;
    await open(buyerId);
    const sold = await drive(await place(sale, buyerId, 2));
    const held = await place(sale, `ben-${sale.saleId}`, 1, 'external');
    expect(await audit(sale)).toMatchObject({ ...clean, items: [{ conserved: true }] });
    return { sale, buyerId, sold, held };
  }
  const rowKey = (sale: Sale, unit: string) => ({ bucket: unitBucket(sale.saleId, 'tee', unit), unit });
  const change = (TableName: string, Key: Record<string, unknown>, name: string, value: unknown) =>
    engine.database.send(
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET #name = :value',
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  const notConserved = { items: [{ conserved: false }], money: { balanced: true } };
  const notBalanced = { items: [{ conserved: true }], money: { balanced: false } };

  it('an order without a row of its unit', async () => {
    const { sale } = await soldSale();
    await engine.database.send(new DeleteCommand({ TableName: 'units', Key: rowKey(sale, '1') }));
    expect(await audit(sale)).toMatchObject({ ...notConserved, redis: { agrees: false } });
  });

  it('a unit whose owner is no order, or does not list it', async () => {
    const first = await soldSale();
    const row = { ...rowKey(first.sale, '9'), saleId: first.sale.saleId, sku: 'tee', buyerId: 'x', state: 'SOLD', atMs: 1 };
    await engine.database.send(new PutCommand({ TableName: 'units', Item: { ...row, orderId: 'ord_nobody' } }));
    expect(await audit(first.sale)).toMatchObject(notConserved);

    const second = await soldSale();
    const stolen = { ...row, ...rowKey(second.sale, '9'), saleId: second.sale.saleId, orderId: second.sold.orderId };
    await engine.database.send(new PutCommand({ TableName: 'units', Item: stolen }));
    expect(await audit(second.sale)).toMatchObject(notConserved);
  });

  it('a unit that is sold while its order is not paid, and one that is held while it is', async () => {
    const first = await soldSale();
    await change('units', rowKey(first.sale, '3'), 'state', 'SOLD');
    expect(await audit(first.sale)).toMatchObject(notConserved);
    const second = await soldSale();
    await change('units', rowKey(second.sale, '1'), 'state', 'HELD');
    expect(await audit(second.sale)).toMatchObject(notConserved);
  });

  it('a unit that an ended order still has', async () => {
    const { sale, held } = await soldSale();
    await change('orders', { orderId: held.orderId }, 'status', 'EXPIRED');
    expect(await audit(sale)).toMatchObject(notConserved);
  });

  it('a serial beyond the total', async () => {
    const { sale } = await soldSale();
    const withTotal = (total: number) => ({ ...sale, items: sale.items.map((item) => ({ ...item, total })) });
    const findingsOf = async (seen: Sale) => (await findings(seen)).filter((words) => words.includes('never'));
    expect(await findingsOf(withTotal(3))).toEqual([]);
    expect(await findingsOf(withTotal(2))).toEqual(['tee 3 was never put on sale']);
    expect(await audit(withTotal(2))).toMatchObject(notConserved);
  });

  it('a unit that Redis would sell again, by name', async () => {
    const { sale, sold } = await soldSale();
    await engine.stock.release(sale.saleId, { holdId: sold.holdId, bornUs: sold.bornUs, cause: 'order' });
    const found = await audit(sale);
    expect(found).toMatchObject({ items: [{ available: 7, conserved: false }], redis: { agrees: false } });
    expect(found.redis.drift.join('\n')).toContain(`tee 1 belongs to ${sold.orderId}, and is for sale in Redis`);
  });

  it('a unit that Redis still holds for an order that has ended', async () => {
    const { sale, held } = await soldSale();
    const cancelled = await cancelOrder(held, {
      orders: engine.orders,
      compensate: async (order) => ({ outcome: 'stayed', order }),
      clock,
    });
    expect(cancelled.order.status).toBe('CANCELLED');
    const found = await audit(sale);
    expect(found).toMatchObject({ items: [{ available: 8, held: 0, conserved: true }], redis: { agrees: false } });
    expect(found.redis.drift.join('\n')).toContain(`tee 3 is held in Redis for ${held.orderId}, which has no row of it`);
  });

  it('a balance that is not the sum of its entries', async () => {
    const { sale, buyerId } = await soldSale();
    await change('accounts', { userId: buyerId, entry: 'account' }, 'balanceMinor', 99_999);
    expect(await audit(sale)).toMatchObject(notBalanced);
  });

  it('a capture that is missing, and entries that do not sum to zero', async () => {
    const first = await soldSale();
    const capture = (of: typeof first) => ({ userId: of.buyerId, entry: `movement#${of.sold.orderId}#capture` });
    await engine.database.send(new DeleteCommand({ TableName: 'accounts', Key: capture(first) }));
    expect(await audit(first.sale)).toMatchObject(notBalanced);
    const second = await soldSale();
    await change('accounts', capture(second), 'entries', [{ account: `seller:${second.sale.saleId}`, amountMinor: 2 * price }]);
    expect(await audit(second.sale)).toMatchObject(notBalanced);
  });

  it('money that was captured out of another order’s escrow', async () => {
    const { sale, buyerId, sold } = await soldSale();
    const entries = [
      { account: 'escrow:another', amountMinor: -2 * price },
      { account: `seller:${sale.saleId}`, amountMinor: 2 * price },
    ];
    await change('accounts', { userId: buyerId, entry: `movement#${sold.orderId}#capture` }, 'entries', entries);
    expect(await audit(sale)).toMatchObject(notBalanced);
  });

  it('an order that is fulfilled and was never charged', async () => {
    const { sale, held } = await soldSale();
    await change('orders', { orderId: held.orderId }, 'status', 'FULFILLED');
    await change('units', rowKey(sale, '3'), 'state', 'SOLD');
    expect(await audit(sale)).toMatchObject(notBalanced);
  });
});
