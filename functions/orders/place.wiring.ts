import { certainty, watchIdentity } from '../reconciliation/identity.care.ts';
import { saleMemories } from '../reconciliation/state.repository.ts';
import { knownSales } from '../sales/known-sales.ts';
import { knownSeats } from '../sales/known-seats.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.wire.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { connectionName } from '../shared/redis.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { mendScripts } from '../stock/mend.scripts.ts';
import { connectStock, identityOn, stockVariables } from '../stock/stock.wiring.ts';
import { claimRepository } from './claim.repository.ts';
import { connectOrders, orderTablesFrom, orderVariables } from './order.wiring.ts';
import type { PlacePorts } from './place.ts';

const environment = readEnvironment([
  ...stockVariables,
  ...orderVariables,
  'SALES_TABLE',
  'SEATS_TABLE',
  'RECONCILIATIONS_TABLE',
  'HOLD_SECRET',
]);
export const { database, orders } = connectOrders(environment, connectDatabase());
/** The stock in the cache, connected by whoever asks first. */
export const connected = once(() => connectStock(environment));

/** What placing an order needs, connected at the first request. */
export const placePorts = once(async (): Promise<PlacePorts> => {
  const secret = secretReader(awsSecrets, environment.HOLD_SECRET, Date.now);
  const [{ redis, quietStock, askForRebuild }, [holdSecret]] = await Promise.all([connected(), secret()]);
  const sales = saleRepository(database, environment.SALES_TABLE);
  const watch = watchIdentity({
    stock: quietStock,
    mend: mendScripts(redis),
    memories: saleMemories(database, environment.RECONCILIATIONS_TABLE),
    identityOf: identityOn(redis),
  });
  return {
    stock: quietStock,
    askForRebuild,
    orders,
    isCertain: certainty({ watch, connection: connectionName(redis) }),
    holdSecret,
    claims: claimRepository(database, orderTablesFrom(environment)),
    sales: knownSales((saleId) => sales.get(saleId, { consistent: true })),
    seats: knownSeats(seatRepository(database, environment.SEATS_TABLE).list),
    clock: systemClock,
  };
});
