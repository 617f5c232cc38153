import { orderConsumer } from '../messaging/consumer.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { once } from '../shared/once.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { compensate } from './compensate.ts';
import { connectOrders, orderVariables } from './order.wiring.ts';

const environment = readEnvironment([...stockVariables, ...orderVariables]);
const { orders } = connectOrders(environment, connectDatabase());
const step = once(async () => compensate({ orders, clock: systemClock, ...(await connectStock(environment)) }));

/** Gives back units and money of orders that ended. */
export const handler = orderConsumer(async (order) => (await step())(order), orders, connectFailures());
