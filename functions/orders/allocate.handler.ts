import { orderConsumer } from '../messaging/consumer.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { once } from '../shared/once.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { allocateOrder } from './allocate-order.ts';
import { connectOrders, orderVariables } from './order.wiring.ts';
import { connectPaidUnits, paidUnitsVariables } from './paid-units.wiring.ts';

const environment = readEnvironment([...stockVariables, ...orderVariables, ...paidUnitsVariables]);
const { database, orders } = connectOrders(environment, connectDatabase());
const step = once(async () =>
  allocateOrder({ ...connectPaidUnits(environment, database), orders, stock: (await connectStock(environment)).stock }),
);

/** Gets the units of orders that were charged first. */
export const handler = orderConsumer(async (order) => (await step())(order), orders, connectFailures());
