import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { accountRepository } from '../accounts/account.repository.ts';
import { userEndpoints } from '../accounts/user.endpoints.ts';
import { productEndpoints } from '../catalogue/product.endpoints.ts';
import { productRepository } from '../catalogue/product.repository.ts';
import { ticketEndpoints } from '../fulfilment/ticket.endpoints.ts';
import { auditEndpoints } from '../operations/audit.endpoints.ts';
import { auditRepository } from '../operations/audit.repository.ts';
import type { AuditStock } from '../operations/audit-sale.ts';
import { compensate } from '../orders/compensate.ts';
import { orderEndpoints } from '../orders/order.endpoints.ts';
import { connectOrders, orderTablesFrom, orderVariables } from '../orders/order.wiring.ts';
import { orderList } from '../orders/order-list.repository.ts';
import { saleEndpoints } from '../sales/sale.endpoints.ts';
import type { SaleStock } from '../sales/sale.ports.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { transact, type Write } from '../shared/dynamo.ts';
import { readEnvironment } from '../shared/environment.ts';
import type { Endpoint } from '../shared/http.ts';
import { idempotencyRepository } from '../shared/idempotency.ts';
import { once } from '../shared/once.ts';
import { secretReader } from '../shared/secrets.ts';
import { log } from '../shared/telemetry.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { apiEndpoints } from './api.endpoints.ts';

const environment = readEnvironment([
  ...stockVariables,
  ...orderVariables,
  'PRODUCTS_TABLE',
  'SALES_TABLE',
  'IDEMPOTENCY_TABLE',
  'TICKET_SECRET',
]);
const { database, orders } = connectOrders(environment);
const tables = { ...orderTablesFrom(environment), products: environment.PRODUCTS_TABLE, sales: environment.SALES_TABLE };

const connected = once(() => connectStock(environment));

/** The stock, connected by whoever asks first: without the cache, all that does not need it still answers. */
const stock: SaleStock & AuditStock = {
  load: async (sale) => (await connected()).stock.load(sale),
  read: async (saleId) => (await connected()).stock.read(saleId),
  holds: async function* (saleId) {
    yield* (await connected()).stock.holds(saleId);
  },
  freeRanges: async function* (saleId) {
    yield* (await connected()).stock.freeRanges(saleId);
  },
  suspectRanges: async function* (saleId) {
    yield* (await connected()).stock.suspectRanges(saleId);
  },
};

const products = productRepository(database, tables.products);
const sales = saleRepository(database, tables.sales);
const listedOrders = orderList(database, tables.orders);
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
    dynamodb: () => database.send(new GetCommand({ TableName: tables.sales, Key: { saleId: 'health' } })),
  },
  onAway: (dependency: string, error: unknown) => log.warn('a dependency is away', { dependency, error }),
};

/** All that the API function serves; placing orders has a function of its own. */
export const endpoints: readonly Endpoint[] = [
  ...apiEndpoints(health),
  ...productEndpoints({ ...common, products, sales }),
  ...saleEndpoints({ ...common, products, sales, stock, tables, hasOrders: listedOrders.anyOf }),
  ...orderEndpoints({
    orders,
    clock,
    list: listedOrders,
    compensate: async (order) => compensate({ orders, clock, stock: (await connected()).stock })(order),
  }),
  ...ticketEndpoints({
    orders,
    ticketSecrets: secretReader(new SecretsManagerClient(clientDefaults), environment.TICKET_SECRET, clock.nowMs),
  }),
  ...userEndpoints({ ...common, accounts, accountsTable: tables.accounts }),
  ...auditEndpoints({ sales, rows: auditRepository(database, tables), stock, clock }),
];
