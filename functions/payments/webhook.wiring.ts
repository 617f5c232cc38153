import { compensate } from '../orders/compensate.ts';
import { followPayment } from '../orders/follow-payment.ts';
import { connectOrders, orderTablesFrom, orderVariables } from '../orders/order.wiring.ts';
import { connectPaidUnits, paidUnitsVariables } from '../orders/paid-units.wiring.ts';
import { reclaimOrder } from '../orders/reclaim-order.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { paymentRepository } from './payment.repository.ts';
import { webhookEndpoints } from './webhook.endpoints.ts';

const environment = readEnvironment([
  ...stockVariables,
  ...orderVariables,
  ...paidUnitsVariables,
  'PAYMENTS_TABLE',
  'PAYMENT_WEBHOOK_SECRETS',
]);
const { database, orders } = connectOrders(environment, connectDatabase());
const { accounts } = orderTablesFrom(environment);

/** Connected by whoever asks first: money is taken without the cache too. */
const follow = once(async () => {
  const { stock } = await connectStock(environment);
  return followPayment({
    stock,
    compensate: compensate({ orders, stock, clock }),
    reclaim: reclaimOrder({ ...connectPaidUnits(environment, database), orders, stock }),
  });
});

export const endpoints = webhookEndpoints({
  orders,
  payments: paymentRepository(database, { payments: environment.PAYMENTS_TABLE, accounts }),
  clock,
  goOn: async (order) => (await follow())(order),
  webhookSecrets: secretReader(awsSecrets, environment.PAYMENT_WEBHOOK_SECRETS, clock.nowMs),
});
