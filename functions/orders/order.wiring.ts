import type { Database } from '../shared/dynamo.ts';
import type { Environment } from '../shared/environment.ts';
import { orderRepository } from './order.repository.ts';

/** The variables that whoever moves orders needs: the tables that a transition writes, and how its events are published. */
export const orderVariables = ['ORDERS_TABLE', 'OUTBOX_TABLE', 'OUTBOX_MODE', 'UNITS_TABLE', 'ALLOWANCES_TABLE', 'ACCOUNTS_TABLE'] as const;
type OrderVariable = (typeof orderVariables)[number];

export const orderTablesFrom = (environment: Pick<Environment, OrderVariable>) => ({
  orders: environment.ORDERS_TABLE,
  outbox: { table: environment.OUTBOX_TABLE, mode: environment.OUTBOX_MODE },
  units: environment.UNITS_TABLE,
  allowances: environment.ALLOWANCES_TABLE,
  accounts: environment.ACCOUNTS_TABLE,
});

/** The database, whoever carries its calls, and the orders in it. */
export const connectOrders = (environment: Pick<Environment, OrderVariable>, database: Database) => ({
  database,
  orders: orderRepository(database, orderTablesFrom(environment)),
});
