import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { accountEntry } from '../../functions/accounts/account.writes.ts';
import { fulfilOrder } from '../../functions/fulfilment/fulfil.ts';
import { busEntriesOf } from '../../functions/messaging/outbox.ts';
import { claimRepository } from '../../functions/orders/claim.repository.ts';
import { confirmOrder } from '../../functions/orders/confirm.ts';
import type { Step } from '../../functions/orders/order.ports.ts';
import { orderRepository } from '../../functions/orders/order.repository.ts';
import { ordersById } from '../../functions/orders/orders-by-id.repository.ts';
import { type PlacePorts, placeOrder } from '../../functions/orders/place.ts';
import { charge } from '../../functions/payments/charge.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { firstHoldIdOf, OrderId, orderIdOf } from '../../functions/shared/ids.ts';
import type { Stock } from '../../functions/stock/stock.ports.ts';
import { countStock } from '../../functions/views/count-stock.ts';
import { projectOrders } from '../../functions/views/project-orders.ts';
import { stockLevels } from '../../functions/views/stock-level.repository.ts';
import { StockEvent } from '../../functions/views/stock-message.schemas.ts';
import { viewRepository } from '../../functions/views/view.repository.ts';
import type { Deployment } from '../../test/simulation/deployment.ts';
import { tableNames, writtenTables } from '../../test/support/database.ts';
import { type Metered, meteredDatabase } from './meter.ts';

/** What one order does from its placing to its tickets, each event delivered once. */
export interface OrderLife extends Metered {
  readonly outboxRows: number;
  readonly events: number;
  /** Messages by the function that takes them. */
  readonly messages: Readonly<Record<string, number>>;
  /** Calls of scripts, by their names. */
  readonly scripts: Readonly<Record<string, number>>;
  readonly storedBytes: number;
  readonly orderItemBytes: number;
}

/** As long as what a user pool gives its users, because names count in the size of items. */
const buyerId = '3f0c2a51-7a40-4a7e-9d35-0a1f5b1f9c11';
const startMs = 1_800_000_000_000;
/** Between two steps of an order whose events are fast. */
const stepMs = 100;
const eventsMax = 100;

const aSale: Sale = {
  saleId: 'launch-day',
  name: 'Launch day',
  opensAtMs: startMs - 60_000,
  closesAtMs: startMs + 3_600_000,
  strategy: 'reserve-first',
  holdSeconds: 300,
  perBuyerLimit: 20,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [{ sku: 'tee-black-m', name: 'Tee', priceMinor: 4_999, currency: 'EUR', total: 1_000_000, seated: false }],
  createdAtMs: startMs - 3_600_000,
};

/**
 * Runs the life of an order of so many units, paid by balance in a sale with a limit, through the use cases that ship, on a database that counts, and
 * with the rules of the template. Throws when it does not end `FULFILLED`, or when an event goes to a consumer that is not known here.
 */
export async function orderLife(units: number, { rules, consumers }: Pick<Deployment, 'rules' | 'consumers'>): Promise<OrderLife> {
  let nowMs = startMs;
  const clock = { nowMs: () => nowMs };
  const meter = meteredDatabase(clock.nowMs);
  const { database, model } = meter;
  model.call('Put', {
    TableName: 'accounts',
    Item: { userId: buyerId, entry: accountEntry, balanceMinor: 1_000_000, currency: 'EUR', version: 1 },
  });
  const scripts: Record<string, number> = {};
  const stock = stockOf(units, scripts, clock.nowMs);
  const orders = orderRepository(database, writtenTables);

  const ports: Partial<PlacePorts> = {
    stock,
    orders,
    clock,
    claims: claimRepository(database, writtenTables),
    holdSecret: 'a secret of a model',
    sales: { known: async () => aSale, fresh: async () => aSale },
  };
  const body = { items: [{ sku: 'tee-black-m', quantity: units }], payment: { method: 'balance' as const } };
  // An order that succeeds asks for nothing else; what it does not have it would fail for.
  const placed = await placeOrder({ saleId: aSale.saleId, buyerId, key: 'a-key', body }, ports as PlacePorts);
  if (placed.outcome !== 'placed') throw new Error(`no order was placed: ${placed.outcome}`);

  const handlers = handlersOf({ meter, orders, stock, clock });
  const messages: Record<string, number> = {};
  let [position, events] = [0, 0];
  for (;;) {
    const { position: next, records } = model.stream('outbox', position);
    if (records.length === 0) break;
    position = next;
    for (const entry of records.flatMap(({ dynamodb }) =>
      busEntriesOf(unmarshall((dynamodb?.NewImage ?? {}) as Record<string, AttributeValue>)),
    )) {
      if (++events > eventsMax) throw new Error(`the order made over ${eventsMax} events`);
      const event = { source: entry.source, 'detail-type': entry.name, detail: entry.detail };
      for (const queueName of rules.filter(({ matches }) => matches(event)).flatMap(({ queueNames }) => queueNames)) {
        const functionName = consumers.find((each) => each.queueName === queueName)?.functionName ?? queueName;
        const handle = handlers[functionName];
        if (!handle) throw new Error(`${entry.name} of an order goes to ${functionName}, which this model does not know`);
        messages[functionName] = (messages[functionName] ?? 0) + 1;
        nowMs += stepMs;
        await handle(JSON.parse(JSON.stringify(entry.detail)));
      }
    }
  }
  const order = await orders.get(placed.order.orderId);
  if (order?.status !== 'FULFILLED') throw new Error(`the order ended as ${order?.status}`);
  return {
    ...meter.metered(),
    outboxRows: position,
    events,
    messages,
    scripts,
    storedBytes: meter.storedBytes(),
    orderItemBytes: meter.largestItemBytes('orders'),
  };
}

type Handle = (detail: unknown) => Promise<void>;
type Surroundings = {
  readonly meter: ReturnType<typeof meteredDatabase>;
  readonly orders: ReturnType<typeof orderRepository>;
  readonly stock: Stock;
  readonly clock: { nowMs(): number };
};

/** The consumers of order events as their handlers connect them, one message at a time. */
function handlersOf({ meter: { database }, orders, stock, clock }: Surroundings): Readonly<Record<string, Handle>> {
  const OfOrder = z.object({ orderId: OrderId });
  const step =
    (take: Step): Handle =>
    async (detail) => {
      const order = await orders.get(OfOrder.parse(detail).orderId);
      if (!order) throw new Error('an event came of an order that is not there');
      await take(order);
    };
  const messageId = 'message';
  const done = (failed: ReadonlyMap<string, unknown>) => {
    for (const error of failed.values()) throw error;
  };
  const project = projectOrders({ orders: ordersById(database, tableNames.orders), views: viewRepository(database, tableNames.views) });
  const levels = stockLevels(database, { levels: tableNames.stockLevels, inbox: tableNames.inbox });
  const count = countStock({ levels, clock });
  return {
    'payments/payment': step(charge({ orders, clock })),
    'orders/confirm': step(confirmOrder({ orders, stock, clock })),
    'fulfilment/fulfil': step(
      fulfilOrder({
        orders,
        clock,
        fulfilmentsTable: tableNames.fulfilments,
        ticketSecret: async () => 'a secret of a model, long enough',
      }),
    ),
    'views/view': async (detail) => done(await project([{ messageId, detail: OfOrder.parse(detail) }])),
    'views/stock-level': async (detail) => done(await count([{ messageId, detail: StockEvent.parse(detail) }])),
  };
}

/** A Redis that gives what is asked for, and counts the scripts that are called. Any script but those of an order that succeeds is a mistake. */
function stockOf(units: number, calls: Record<string, number>, nowMs: () => number): Stock {
  const called = (name: string) => {
    calls[name] = (calls[name] ?? 0) + 1;
  };
  const serials = Array.from({ length: units }, (_, index) => String(100_001 + index));
  const stock: Pick<Stock, 'reserve' | 'acknowledge' | 'confirm'> = {
    async reserve({ holdId, buyerId: buyer, payloadHash }) {
      called('reserve');
      if (firstHoldIdOf(orderIdOf(holdId)) !== holdId) throw new Error('a hold is named otherwise than its order');
      const hold = {
        holdId,
        buyerId: buyer,
        payloadHash,
        bornUs: nowMs() * 1_000,
        expiresAtMs: nowMs() + aSale.holdSeconds * 1_000,
        lines: [{ sku: 'tee-black-m', units: serials }],
        slots: serials.map((_, index) => index + 1),
      };
      return { outcome: 'RESERVED', hold, replayed: false, hasOrder: false };
    },
    async acknowledge() {
      called('acknowledge');
      return { outcome: 'ACKNOWLEDGED' };
    },
    async confirm() {
      called('confirm');
      return { outcome: 'CONFIRMED' };
    },
  };
  return stock as Stock;
}
