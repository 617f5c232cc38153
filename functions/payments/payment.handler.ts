import { orderConsumer } from '../messaging/consumer.ts';
import { connectOrders, orderVariables } from '../orders/order.wiring.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { charge } from './charge.ts';

const { orders } = connectOrders(readEnvironment(orderVariables), connectDatabase());

/** Charges orders that wait for their payment from a balance, captures confirmed ones. */
export const handler = orderConsumer(charge({ orders, clock: systemClock }), orders, connectFailures());
