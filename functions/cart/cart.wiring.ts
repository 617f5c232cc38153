import { knownSales } from '../sales/known-sales.ts';
import { knownSeats } from '../sales/known-seats.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import type { CartPorts } from './cart.ts';

const environment = readEnvironment([...stockVariables, 'SALES_TABLE', 'SEATS_TABLE', 'HOLD_SECRET']);
const database = connectDatabase();

/** What carts need, connected at the first request. */
export const cartPorts = once(async (): Promise<CartPorts> => {
  const secret = secretReader(awsSecrets, environment.HOLD_SECRET, Date.now);
  const [{ quietStock, askForRebuild }, [holdSecret]] = await Promise.all([connectStock(environment), secret()]);
  const sales = saleRepository(database, environment.SALES_TABLE);
  return {
    stock: quietStock,
    askForRebuild,
    holdSecret,
    sales: knownSales((saleId) => sales.get(saleId, { consistent: true })),
    seats: knownSeats(seatRepository(database, environment.SEATS_TABLE).list),
    clock,
  };
});
