import { expireCarts } from '../cart/expire-carts.ts';
import { fulfilOrder } from '../fulfilment/fulfil.ts';
import { charge } from '../payments/charge.ts';
import { watchIdentity } from '../reconciliation/identity.care.ts';
import { saleMemories } from '../reconciliation/state.repository.ts';
import { cancellationRepository } from '../sales/cancellation.repository.ts';
import { endOrders } from '../sales/end-orders.ts';
import { mendSeats } from '../sales/mend-seats.ts';
import { pushSale } from '../sales/push-sale.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { mendScripts } from '../stock/mend.scripts.ts';
import { keepCurrent, keepMoving } from '../stock/rebuild.care.ts';
import { connectStock, identityOn, settledOn, stockVariables } from '../stock/stock.wiring.ts';
import { allocateOrder } from './allocate-order.ts';
import { compensate } from './compensate.ts';
import { confirmOrder } from './confirm.ts';
import { dueOrders } from './due.repository.ts';
import { expireOrder } from './expire.ts';
import { connectOrders, orderTablesFrom, orderVariables } from './order.wiring.ts';
import { connectPaidUnits, paidUnitsVariables } from './paid-units.wiring.ts';
import { reclaimOrder } from './reclaim-order.ts';
import { saleOrders } from './sale-orders.repository.ts';
import type { SweepPorts } from './sweep.ts';
import { endForGood } from './take-back.ts';

const environment = readEnvironment([
  ...stockVariables,
  ...orderVariables,
  ...paidUnitsVariables,
  'FULFILMENTS_TABLE',
  'RECONCILIATIONS_TABLE',
  'TICKET_SECRET',
]);
const { database, orders } = connectOrders(environment, connectDatabase());
const tables = orderTablesFrom(environment);
const ticketSecrets = secretReader(awsSecrets, environment.TICKET_SECRET, Date.now);

/** What a sweep needs: every step of the saga, driven without events. */
export const sweepPorts = once(async (): Promise<Omit<SweepPorts, 'remainingMs'>> => {
  const { redis, stock } = await connectStock(environment);
  const fulfilmentsTable = environment.FULFILMENTS_TABLE;
  const ticketSecret = async () => (await ticketSecrets())[0];
  const sales = saleRepository(database, environment.SALES_TABLE);
  const seats = seatRepository(database, environment.SEATS_TABLE);
  const paidUnits = { ...connectPaidUnits(environment, database), orders, stock };
  return {
    sales: { live: (nowMs) => sales.liveSales(nowMs) },
    tend: [
      expireCarts({ stock }),
      watchIdentity({
        stock,
        mend: mendScripts(redis),
        memories: saleMemories(database, environment.RECONCILIATIONS_TABLE),
        identityOf: identityOn(redis),
      }),
      keepCurrent({ stock }),
      keepMoving({ stock }),
      mendSeats({ seats, stock }),
      endOrders({
        cancellations: cancellationRepository(database, environment.SALES_TABLE),
        close: (sale) => pushSale(sale, { ...stock, settled: settledOn(redis) }),
        closedSince: stock.closedSince,
        ordersFrom: saleOrders(database, tables.orders).from,
        endOrder: endForGood({ orders, compensate: compensate({ orders, stock, clock }), clock }),
        nowMs: stock.nowMs,
        runMs: 20_000,
        clock,
      }),
    ],
    random: Math.random,
    stock,
    orders,
    claims: paidUnits.claims,
    due: dueOrders(database, tables.orders),
    steps: (nowMs) => ({
      charge: charge({ orders, clock }),
      allocate: allocateOrder(paidUnits),
      confirm: confirmOrder({ orders, stock, clock }),
      fulfil: fulfilOrder({ orders, clock, fulfilmentsTable, ticketSecret }),
      expire: expireOrder({ orders, nowMs }),
      compensate: compensate({ orders, stock, clock }),
      reclaim: reclaimOrder(paidUnits),
    }),
  };
});
