import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { claimRepository } from '../../../functions/orders/claim.repository.ts';
import type { Order, Transition } from '../../../functions/orders/order.model.ts';
import { orderRepository } from '../../../functions/orders/order.repository.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { startTables, writtenTables } from '../../support/database.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';
import { watchReads } from '../shared/strong-reads.ts';

let sales = 0;
export const freshSale = () => `sale-${++sales}`;
/** A reserved order of a sale of its own. */
export const fresh = (changes: Partial<Order> = {}): Order => {
  const holdId = freshHoldId();
  return anOrder({ holdId, orderId: orderIdOf(holdId), saleId: freshSale(), ...changes });
};
/** The transition that a claim writes. */
export const placed = (order: Order): Transition => ({ next: order, events: ['OrderPlaced', 'StockReserved'] });

/** Tables of the test file's own, from its first test to its last, and what stands in them. No test may have them read weakly. */
export function orderTables() {
  let started: Awaited<ReturnType<typeof startTables>> | undefined;
  let reads: ReturnType<typeof watchReads> | undefined;
  beforeAll(async () => {
    started = await startTables();
    reads = watchReads(started.database);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await started?.stop();
  });
  afterEach(() => expect(reads?.weak()).toStrictEqual([]));
  const tables = {
    get database() {
      if (!started) throw new Error('used before the tests began');
      return started.database;
    },
  };

  const claims = () => claimRepository(tables.database, writtenTables);
  const orders = () => orderRepository(tables.database, writtenTables);
  const rowOf = async (TableName: string, Key: object) =>
    (await tables.database.send(new GetCommand({ TableName, Key: { ...Key }, ConsistentRead: true }))).Item;
  const unitRow = (order: Order, unit: string, sku = 'tee') => rowOf('units', { bucket: unitBucket(order.saleId, sku, unit), unit });
  const slotRow = ({ saleId, buyerId }: Order, slot: number) => rowOf('allowances', { saleBuyer: `${saleId}#${buyerId}`, slot });
  async function claimed(order: Order): Promise<Order> {
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'claimed' });
    return order;
  }

  return { tables, claims, orders, rowOf, unitRow, slotRow, claimed };
}
