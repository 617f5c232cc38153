import { orderConsumer } from '../messaging/consumer.ts';
import { connectOrders, orderVariables } from '../orders/order.wiring.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { fulfilOrder } from './fulfil.ts';

const environment = readEnvironment([...orderVariables, 'FULFILMENTS_TABLE', 'TICKET_SECRET']);
const { orders } = connectOrders(environment, connectDatabase());
const ticketSecrets = secretReader(awsSecrets, environment.TICKET_SECRET, Date.now);

/** Issues the tickets of orders that are paid. */
export const handler = orderConsumer(
  fulfilOrder({
    orders,
    clock: systemClock,
    fulfilmentsTable: environment.FULFILMENTS_TABLE,
    ticketSecret: async () => (await ticketSecrets())[0],
  }),
  orders,
  connectFailures(),
);
