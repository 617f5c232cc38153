import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { orderConsumer } from '../messaging/consumer.ts';
import { connectOrders, orderVariables } from '../orders/order.wiring.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { secretReader } from '../shared/secrets.ts';
import { fulfilOrder } from './fulfil.ts';

const environment = readEnvironment([...orderVariables, 'FULFILMENTS_TABLE', 'TICKET_SECRET']);
const { orders } = connectOrders(environment);
const ticketSecrets = secretReader(new SecretsManagerClient(clientDefaults), environment.TICKET_SECRET, Date.now);

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
