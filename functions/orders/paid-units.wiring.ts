import { knownSales } from '../sales/known-sales.ts';
import { knownSeats } from '../sales/known-seats.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import type { Database } from '../shared/dynamo.ts';
import type { Environment } from '../shared/environment.ts';
import { claimRepository } from './claim.repository.ts';
import { orderTablesFrom, type orderVariables } from './order.wiring.ts';
import type { PaidUnitsPorts } from './paid-units.ts';

/** The variables that whoever gets units for paid orders needs, beside those of orders and of the stock. */
export const paidUnitsVariables = ['SALES_TABLE', 'SEATS_TABLE'] as const;
type PaidUnitsVariable = (typeof paidUnitsVariables)[number] | (typeof orderVariables)[number];

/** What getting units for paid orders needs of the database, beside the orders. */
export function connectPaidUnits(
  environment: Pick<Environment, PaidUnitsVariable>,
  database: Database,
): Pick<PaidUnitsPorts, 'claims' | 'sales' | 'seats' | 'clock'> {
  const sales = saleRepository(database, environment.SALES_TABLE);
  return {
    claims: claimRepository(database, orderTablesFrom(environment)),
    sales: knownSales((saleId) => sales.get(saleId, { consistent: true })),
    seats: knownSeats(seatRepository(database, environment.SEATS_TABLE).list),
    clock,
  };
}
