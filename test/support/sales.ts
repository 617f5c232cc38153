import { randomUUID } from 'node:crypto';
import { type QueryCommandInput, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { saleOrders } from '../../functions/orders/sale-orders.repository.ts';
import { type CancelSalePorts, cancelSale } from '../../functions/sales/cancel-sale.ts';
import { cancellationRepository } from '../../functions/sales/cancellation.repository.ts';
import { type ControlPorts, changeSale } from '../../functions/sales/change-sale.ts';
import type { Delivery, SaleWish } from '../../functions/sales/control.model.ts';
import { type EndOrdersPorts, endOrders } from '../../functions/sales/end-orders.ts';
import { mendSeats } from '../../functions/sales/mend-seats.ts';
import { pushSale } from '../../functions/sales/push-sale.ts';
import { type RestockPorts, restock } from '../../functions/sales/restock.ts';
import type { Sale, SeatList } from '../../functions/sales/sale.model.ts';
import { saleRepository } from '../../functions/sales/sale.repository.ts';
import { createSaleWrite, putSeatsWrite } from '../../functions/sales/sale.writes.ts';
import { saleSubject } from '../../functions/sales/sale-outbox.model.ts';
import { packSeats } from '../../functions/sales/seat.model.ts';
import { seatRepository } from '../../functions/sales/seat.repository.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { transact } from '../../functions/shared/dynamo.ts';
import { idempotencyRepository } from '../../functions/shared/idempotency.ts';
import { readAll } from '../../functions/shared/reads.ts';
import { keepCurrent } from '../../functions/stock/rebuild.care.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { writtenTables } from './database.ts';
import type { Engine } from './engine.ts';

export type SalesPorts = RestockPorts & CancelSalePorts;

/** What operators do with sales, on an engine's database and Redis, without HTTP. */
export function salesOn(engine: Engine) {
  const { database } = engine;
  const sales = saleRepository(database, 'sales');
  const seats = seatRepository(database, 'seats');
  const stock: ControlPorts['stock'] = { ...engine.stock, settled: async () => {} };
  const endingPorts: EndOrdersPorts = {
    cancellations: cancellationRepository(database, 'sales'),
    close: (sale) => pushSale(sale, stock),
    closedSince: engine.stock.closedSince,
    ordersFrom: saleOrders(database, 'orders').from,
    endOrder: (order, takenBack) => engine.endForGood(order, takenBack),
    nowMs: engine.stock.nowMs,
    runMs: 10_000,
    clock,
  };
  const ports: SalesPorts = {
    sales,
    seats,
    stock,
    transact: (writes) => transact(database, writes),
    tables: writtenTables,
    clock,
    idempotency: idempotencyRepository(database, 'idempotency'),
    endOrders: (sale) => endOrders(endingPorts)(sale, () => true),
  };
  const keyed = (saleId: string, key: string, body: unknown) => ({ scope: `${saleId} ${key}`, payloadHash: JSON.stringify(body) });

  return {
    sales,
    seats,
    ports,
    endingPorts,

    /** An open sale of `tee` by number, and of `hall` by seats if there are any, in the database and in Redis. */
    async open(units: number, { hall = [], ...changes }: { hall?: readonly string[] } & Partial<Sale> = {}): Promise<Sale> {
      const saleId = randomUUID();
      const item = { name: 'An item', priceMinor: 2_500, currency: 'EUR' };
      const names: SeatList = new Map(hall.length > 0 ? [['hall', hall]] : []);
      const chunks = packSeats(saleId, names);
      const nowMs = Date.now();
      const sale: Sale = {
        saleId,
        name: saleId,
        opensAtMs: nowMs - 60_000,
        closesAtMs: nowMs + 3_600_000,
        strategy: 'reserve-first',
        holdSeconds: 300,
        control: 'open',
        version: 1,
        epoch: 1,
        currency: 'EUR',
        items: [
          { ...item, sku: 'tee', total: units, seated: false },
          ...(hall.length > 0 ? [{ ...item, sku: 'hall', total: hall.length, seated: true }] : []),
        ],
        ...(chunks.length > 0 ? { seatChunks: chunks.length } : {}),
        createdAtMs: nowMs,
        ...changes,
      };
      await transact(database, [createSaleWrite(sale, 'sales'), ...chunks.map((chunk) => putSeatsWrite(chunk, 'seats'))]);
      await engine.stock.load(sale, names);
      // The engine places orders by its own copy.
      await engine.openSale(saleId, units, sale);
      return sale;
    },

    async stored(saleId: string): Promise<Sale> {
      const sale = await sales.get(saleId, { consistent: true });
      if (!sale) throw new Error(`${saleId} is gone`);
      return sale;
    },

    /** The sale as Redis has it. */
    async inRedis(saleId: string) {
      const state = await engine.stock.read(saleId);
      if (state.outcome !== 'READ') throw new Error(`${saleId} is not loaded`);
      return { ...state, totals: Object.fromEntries(state.items.map(({ sku, total }) => [sku, total])) };
    },

    change: (saleId: string, wish: SaleWish, changes: Partial<SalesPorts> = {}) =>
      changeSale(saleId, wish, 'olga', { ...ports, ...changes }),
    restock: (saleId: string, delivery: Delivery, key: string = randomUUID(), changes: Partial<SalesPorts> = {}) =>
      restock(saleId, { ...delivery, reason: 'more came', by: 'olga' }, keyed(saleId, key, delivery), { ...ports, ...changes }),
    cancel: (saleId: string, key: string = randomUUID(), changes: Partial<SalesPorts> = {}) =>
      cancelSale(saleId, { reason: 'rain', by: 'olga' }, keyed(saleId, key, 'rain'), { ...ports, ...changes }),

    /** What a sweep does for this sale, and nothing for orders and holds. */
    async tend(saleId: string, changes: Partial<EndOrdersPorts> = {}): Promise<void> {
      const sale = (await sales.liveSales(Date.now())).find((each) => each.saleId === saleId);
      if (!sale) return;
      await keepCurrent({ stock: engine.stock })(sale);
      await mendSeats({ seats, stock: engine.stock })(sale);
      await endOrders({ ...endingPorts, ...changes })(sale, () => true);
    },

    /** As if its stock had been closed, and its orders walked over, that much earlier. */
    async age(saleId: string, byMs: number): Promise<void> {
      const { redis } = engine;
      const { sale } = stockKeys(saleId);
      if (await redis.hexists(sale, 'closed')) await redis.hincrby(sale, 'closed', -byMs);
      const UpdateExpression = `SET ${['closedAtMs', 'startedAtMs'].map((at) => `endingPass.${at} = endingPass.${at} - :by`).join(', ')}`;
      const earlier = { TableName: 'sales', Key: { saleId }, UpdateExpression, ExpressionAttributeValues: { ':by': byMs } };
      await database.send(new UpdateCommand(earlier));
    },

    outbox: (saleId: string) => readAll(database, ofSubject(saleSubject(saleId))),
  };
}

const ofSubject = (subject: string): QueryCommandInput => ({
  TableName: 'outbox',
  KeyConditionExpression: 'subject = :subject',
  ExpressionAttributeValues: { ':subject': subject },
  ConsistentRead: true,
});
