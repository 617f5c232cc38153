import { AnyOrderEvent } from '../orders/order.events.ts';
import { ordersById } from '../orders/orders-by-id.repository.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { batchConsumer } from './batch.ts';
import { projectOrders } from './project-orders.ts';
import { viewRepository } from './view.repository.ts';

const environment = readEnvironment(['ORDERS_TABLE', 'VIEWS_TABLE']);
const database = connectDatabase();

/** Brings what lists show up to date with orders that have changed. */
export const handler = batchConsumer(
  AnyOrderEvent,
  projectOrders({ orders: ordersById(database, environment.ORDERS_TABLE), views: viewRepository(database, environment.VIEWS_TABLE) }),
  connectFailures(),
);
