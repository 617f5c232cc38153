import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { fulfilOrder } from '../fulfilment/fulfil.ts';
import { charge } from '../payments/charge.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { secretReader } from '../shared/secrets.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { claimRepository } from './claim.repository.ts';
import { compensate } from './compensate.ts';
import { confirmOrder } from './confirm.ts';
import { dueOrders } from './due.repository.ts';
import { expireOrder } from './expire.ts';
import { connectOrders, orderTablesFrom, orderVariables } from './order.wiring.ts';
import type { SweepPorts } from './sweep.ts';

const environment = readEnvironment([...stockVariables, ...orderVariables, 'SALES_TABLE', 'FULFILMENTS_TABLE', 'TICKET_SECRET']);
const { database, orders } = connectOrders(environment);
const tables = orderTablesFrom(environment);
const ticketSecrets = secretReader(new SecretsManagerClient(clientDefaults), environment.TICKET_SECRET, Date.now);

/** What a sweep needs: every step of the saga, driven without events. */
export const sweepPorts = once(async (): Promise<Omit<SweepPorts, 'remainingMs'>> => {
  const { stock } = await connectStock(environment);
  const fulfilmentsTable = environment.FULFILMENTS_TABLE;
  const ticketSecret = async () => (await ticketSecrets())[0];
  const sales = saleRepository(database, environment.SALES_TABLE);
  return {
    sales: { live: (nowMs) => sales.liveSales(nowMs) },
    tend: [],
    stock,
    orders,
    claims: claimRepository(database, tables),
    due: dueOrders(database, tables.orders),
    steps: (nowMs) => ({
      charge: charge({ orders, clock }),
      confirm: confirmOrder({ orders, stock, clock }),
      fulfil: fulfilOrder({ orders, clock, fulfilmentsTable, ticketSecret }),
      expire: expireOrder({ orders, nowMs }),
      compensate: compensate({ orders, stock, clock }),
    }),
  };
});
