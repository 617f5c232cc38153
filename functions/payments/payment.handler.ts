import { orderConsumer } from '../messaging/consumer.ts';
import { connectOrders, orderVariables } from '../orders/order.wiring.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnvironment } from '../shared/environment.ts';
import { charge } from './charge.ts';

const { orders } = connectOrders(readEnvironment(orderVariables));

/** Charges reserved orders that are paid from a balance, captures confirmed ones. */
export const handler = orderConsumer(charge({ orders, clock: systemClock }), orders);
