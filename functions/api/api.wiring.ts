import { randomUUID } from 'node:crypto';
import { accountRepository } from '../accounts/account.repository.ts';
import { userEndpoints } from '../accounts/user.endpoints.ts';
import { productEndpoints } from '../catalogue/product.endpoints.ts';
import { productRepository } from '../catalogue/product.repository.ts';
import { ticketEndpoints } from '../fulfilment/ticket.endpoints.ts';
import { timelineEndpoints } from '../operations/timeline.endpoints.ts';
import { orderHistories } from '../operations/timeline.repository.ts';
import { compensate } from '../orders/compensate.ts';
import { orderEndpoints } from '../orders/order.endpoints.ts';
import type { Step } from '../orders/order.ports.ts';
import { connectOrders, orderTablesFrom, orderVariables } from '../orders/order.wiring.ts';
import { orderList } from '../orders/order-list.repository.ts';
import { saleOrders } from '../orders/sale-orders.repository.ts';
import { endForGood } from '../orders/take-back.ts';
import { noteIdentity } from '../reconciliation/identity.care.ts';
import { saleMemories } from '../reconciliation/state.repository.ts';
import { cancellationRepository } from '../sales/cancellation.repository.ts';
import { controlEndpoints } from '../sales/control.endpoints.ts';
import { endOrders } from '../sales/end-orders.ts';
import { knownSeats } from '../sales/known-seats.ts';
import { pushSale, saleNowMs } from '../sales/push-sale.ts';
import { saleEndpoints } from '../sales/sale.endpoints.ts';
import type { SaleStock } from '../sales/sale.ports.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { transact, type Write } from '../shared/dynamo.ts';
import { readEnvironment } from '../shared/environment.ts';
import type { Endpoint } from '../shared/http.ts';
import { idempotencyRepository } from '../shared/idempotency.ts';
import { once } from '../shared/once.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { log } from '../shared/telemetry.ts';
import { connectStock, identityOn, settledOn, stockVariables } from '../stock/stock.wiring.ts';
import { countedStock } from '../views/counted.ts';
import { levelReader } from '../views/stock-level.repository.ts';
import { apiEndpoints } from './api.endpoints.ts';

const environment = readEnvironment([
  ...stockVariables,
  ...orderVariables,
  'PRODUCTS_TABLE',
  'SALES_TABLE',
  'SEATS_TABLE',
  'IDEMPOTENCY_TABLE',
  'VIEWS_TABLE',
  'STOCK_LEVELS_TABLE',
  'FULFILMENTS_TABLE',
  'PAYMENTS_TABLE',
  'RECONCILIATIONS_TABLE',
  'TICKET_SECRET',
]);
const { database, orders } = connectOrders(environment, connectDatabase());
const tables = {
  ...orderTablesFrom(environment),
  products: environment.PRODUCTS_TABLE,
  sales: environment.SALES_TABLE,
  seats: environment.SEATS_TABLE,
};

const connected = once(() => connectStock(environment));

type ConnectedStock = Omit<SaleStock, 'settled'>;

/** The stock, connected by whoever asks first: without the cache, all that does not need it still answers. */
const stockOf = (connectedStock: () => Promise<ConnectedStock>): SaleStock => ({
  load: async (...args) => (await connectedStock()).load(...args),
  read: async (saleId, shards) => (await connectedStock()).read(saleId, shards),
  update: async (sale) => (await connectedStock()).update(sale),
  closedSince: async (saleId, shards) => (await connectedStock()).closedSince(saleId, shards),
  addSeats: async (saleId, sku, seats) => (await connectedStock()).addSeats(saleId, sku, seats),
  seatStates: async (saleId, sku, seats) => (await connectedStock()).seatStates(saleId, sku, seats),
  settled: async (saleId, shards) => settledOn((await connected()).redis)(saleId, shards),
  nowMs: async () => (await connectedStock()).nowMs(),
});
const stock = stockOf(async () => (await connected()).stock);
const quietStock = stockOf(async () => (await connected()).quietStock);

const products = productRepository(database, tables.products);
const sales = saleRepository(database, tables.sales);
const seats = seatRepository(database, tables.seats);
const listedOrders = orderList(database, environment.VIEWS_TABLE);
const compensateNow: Step = async (order) => compensate({ orders, clock, stock: (await connected()).stock })(order);
const endOrdersNow = endOrders({
  cancellations: cancellationRepository(database, tables.sales),
  close: (sale) => pushSale(sale, stock),
  closedSince: stock.closedSince,
  ordersFrom: saleOrders(database, tables.orders).from,
  endOrder: endForGood({ orders, compensate: compensateNow, clock }),
  nowMs: () => saleNowMs({ stock, clock }),
  runMs: 4_000,
  clock,
});
const accounts = accountRepository(database, tables.accounts);
const common = {
  clock,
  newId: randomUUID,
  idempotency: idempotencyRepository(database, environment.IDEMPOTENCY_TABLE),
  transact: (writes: Write[]) => transact(database, writes),
};

const health = {
  waitMsMax: 1_000,
  checks: {
    redis: async () => (await connected()).redis.ping(),
    // Any key will do: what counts is that a read is answered.
    dynamodb: () => database.get({ TableName: tables.sales, Key: { saleId: 'health' } }),
  },
  onAway: (dependency: string, error: unknown) => log.warn('a dependency is away', { dependency, error }),
};

/** All that the API function serves; placing orders and auditing sales have functions of their own. */
export const endpoints: readonly Endpoint[] = [
  ...apiEndpoints(health),
  ...productEndpoints({ ...common, products, sales }),
  ...saleEndpoints({
    ...common,
    products,
    sales,
    seats,
    knownSeats: knownSeats(seats.list),
    stock: quietStock,
    askForRebuild: async (saleId) => (await connected()).askForRebuild(saleId),
    counted: countedStock(levelReader(database, environment.STOCK_LEVELS_TABLE)),
    noteRedis: noteIdentity({
      memories: saleMemories(database, environment.RECONCILIATIONS_TABLE),
      identityOf: async (saleId, shards) => identityOn((await connected()).redis)(saleId, shards),
    }),
    tables,
  }),
  ...controlEndpoints({
    ...common,
    sales,
    seats,
    stock,
    tables,
    endOrders: (sale) => endOrdersNow(sale, () => true),
  }),
  ...orderEndpoints({
    ...common,
    orders,
    list: listedOrders,
    compensate: compensateNow,
  }),
  ...timelineEndpoints({
    orders,
    histories: orderHistories(database, {
      outbox: environment.OUTBOX_TABLE,
      accounts: environment.ACCOUNTS_TABLE,
      payments: environment.PAYMENTS_TABLE,
      fulfilments: environment.FULFILMENTS_TABLE,
    }),
  }),
  ...ticketEndpoints({
    orders,
    ticketSecrets: secretReader(awsSecrets, environment.TICKET_SECRET, clock.nowMs),
  }),
  ...userEndpoints({ ...common, accounts, accountsTable: tables.accounts }),
];
