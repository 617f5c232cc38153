import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Context, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderConsumer } from '../../functions/messaging/consumer.ts';
import { busEntriesOf } from '../../functions/messaging/outbox.ts';
import { displayStatusOf } from '../../functions/orders/display-status.model.ts';
import type { Order, StepName } from '../../functions/orders/order.model.ts';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { openFunded } from '../support/audits.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

interface Message {
  readonly name: string;
  readonly detail: unknown;
}

/** The events of all rows of these sales that were not seen before, as the dispatcher would publish them: those that move orders. */
async function published(saleIds: readonly string[], seen: Set<string>): Promise<Message[]> {
  const { Items = [], LastEvaluatedKey } = await engine.database.send(new ScanCommand({ TableName: 'outbox', ConsistentRead: true }));
  if (LastEvaluatedKey) throw new Error('more rows than one page');
  const fresh = Items.filter((row) => saleIds.includes(String(row.saleId)) && !seen.has(`${row.subject}#${row.version}`));
  for (const row of fresh) seen.add(`${row.subject}#${row.version}`);
  return fresh.flatMap((row) => busEntriesOf(row)).filter(({ name }) => heardBy[name]);
}

/** Who hears what: as the rules of the bus say it, without what they leave out by strategy or payment. */
const heardBy: Readonly<Record<string, readonly StepName[]>> = {
  OrderPlaced: ['charge'],
  StockReserved: ['charge', 'confirm'],
  PaymentAuthorised: ['allocate', 'confirm'],
  PaymentCaptured: ['allocate', 'fulfil'],
  OrderConfirmed: ['charge', 'fulfil'],
  OrderFailed: ['compensate'],
  OrderExpired: ['compensate'],
  OrderCancelled: ['compensate'],
  RefundRequested: ['compensate'],
  PaymentRefunded: ['compensate'],
};

async function deliver({ name, detail }: Message): Promise<void> {
  const record = { messageId: 'one', body: JSON.stringify({ 'detail-type': name, detail }) } as SQSRecord;
  for (const step of heardBy[name] ?? []) {
    const { batchItemFailures } = await orderConsumer(engine.steps[step], engine.orders)({ Records: [record] }, {} as Context);
    // The queue shows a message that failed again.
    if (batchItemFailures.length > 0) throw new Error(`${name} failed`);
  }
}

/** More than all copies of all events; a message that fails for ever is found by it. */
const turnsMax = 1_500;

/** Delivers everything, and what comes of it, until nothing is left: each event `copies` times, drawn by `random`. */
async function deliverAll(saleIds: readonly string[], seen: Set<string>, copies: number, random: () => number): Promise<void> {
  const waiting: Message[] = [];
  for (let turns = 0; turns < turnsMax; turns++) {
    const fresh = await published(saleIds, seen);
    waiting.push(...fresh.flatMap((message) => Array.from({ length: copies }, () => message)));
    if (waiting.length === 0) return;
    const drawn = Array.from({ length: Math.min(copies === 1 ? 1 : 24, waiting.length) }, () => {
      const [message] = waiting.splice(Math.floor(random() * waiting.length), 1);
      return message;
    });
    await inParallel(drawn, 24, async (message) => {
      if (!message) return;
      await deliver(message).catch(() => waiting.push(message));
    });
  }
  throw new Error(`events without end: ${waiting.map(({ name }) => name).join()}`);
}

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let runs = 0;

/** A run with every kind of end, its events delivered as told; what is left of it, without names. */
async function run(strategy: Strategy, copies: number, random: () => number) {
  const prefix = `run-${++runs}`;
  const seen = new Set<string>();
  const open = (name: string, units: number, changes = {}) => engine.openSale(`${prefix}-${name}`, units, { strategy, ...changes });
  const main = await open('main', 20, { perBuyerLimit: 2 });
  const scarce = await open('scarce', 2);
  const outside = await open('outside', 2);
  const closing = await open('closing', 5);
  const saleIds = [main, scarce, outside, closing].map(({ saleId }) => saleId);
  const buyers: string[] = [];
  const buy = async (saleId: string, options: Parameters<Engine['place']>[2] = {}, balanceMinor = openingMinor) => {
    const buyerId = `${prefix}-${buyers.length}`;
    buyers.push(buyerId);
    await openFunded(engine, buyerId, balanceMinor);
    return sagas.placed(saleId, buyerId, options);
  };
  const external = { method: 'external' as const };

  const orders: Order[] = [];
  const keep = (order: Order) => {
    orders.push(order);
    return order;
  };
  const returned = keep(await buy(main.saleId, { quantity: 2 }));
  const retired = keep(await buy(main.saleId));
  const calledOff = keep(await buy(main.saleId));
  keep(await buy(main.saleId, {}, 100));
  const cancelled = keep(await buy(main.saleId));
  const unpaid = keep(await buy(main.saleId, external));
  const late = keep(await buy(main.saleId, external));
  const paid = keep(await buy(main.saleId, external));
  for (let n = 0; n < 2; n++) keep(await buy(scarce.saleId));
  for (let n = 0; n < 2; n++) keep(await buy(outside.saleId, external));
  // Where nothing is held, more orders come in than there are units.
  if (strategy === 'charge-first') {
    keep(await buy(scarce.saleId));
    keep(await buy(outside.saleId, external));
  }
  keep(await buy(closing.saleId));
  await engine.stock.update({ ...closing, version: 2, control: 'closed' });
  await engine.cancel(cancelled);
  for (const order of [paid, ...orders.filter(({ saleId }) => saleId === outside.saleId)]) await sagas.paidOutside(order, order.orderId);
  for (const order of [unpaid, late]) await engine.stepsAt(() => Date.now() + 302_000).expire(order);
  await deliverAll(saleIds, seen, copies, random);

  await engine.refund(returned.orderId, { returnUnits: true });
  await engine.refund(retired.orderId);
  await engine.endForGood(await sagas.now(calledOff));
  await sagas.driven(await sagas.paidOutside(late));
  // Everything that was ever said is said again.
  await deliverAll(saleIds, copies > 1 ? new Set() : seen, Math.min(copies, 2), random);

  for (const sale of [main, scarce, outside]) expect(await sagas.wrongWith(sale)).toEqual([]);
  for (const saleId of saleIds) expect(await engine.owed(saleId)).toEqual([]);
  const ends = await Promise.all(orders.map(sagas.now));
  const told = await Promise.all(
    ends.map(async (order) => ({
      sale: order.saleId.slice(prefix.length),
      status: order.status,
      shown: displayStatusOf(order),
      failure: order.failure ?? '',
      payment: order.payment.state,
      version: order.version,
      units: order.items.flatMap(({ units }) => units).length,
      spentMinor: openingMinor - (await sagas.balanceOf(order)),
    })),
  );
  const rows = await Promise.all(
    saleIds.map(async (saleId) => [...(await engine.unitRows(saleId)).values()].map(({ state }) => String(state)).sort()),
  );
  const available = await Promise.all(saleIds.map((saleId) => engine.available(saleId)));
  return { told: told.map((each) => JSON.stringify(each)).sort(), rows, available };
}

describe.each<Strategy>(['reserve-first', 'charge-first'])('each event delivered five times in shuffled order, %s', (strategy) => {
  it('leaves every order, unit and account as delivering it once does', { timeout: 120_000 }, async () => {
    const orderly = await run(strategy, 1, () => 0);
    expect(orderly.told.length).toBeGreaterThanOrEqual(13);
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (chosen) => {
        expect(await run(strategy, 5, randomFrom(chosen))).toEqual(orderly);
      }),
      { numRuns: 1 },
    );
  });
});
