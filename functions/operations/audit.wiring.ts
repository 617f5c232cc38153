import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { largeReadMsMax } from '../shared/dynamo.ts';
import { readEnvironment } from '../shared/environment.ts';
import { once } from '../shared/once.ts';
import { connectStock, stockVariables } from '../stock/stock.wiring.ts';
import { auditRepository } from './audit.repository.ts';
import type { AuditPorts, AuditStock } from './audit-sale.ts';
import { ledgerRepository } from './ledger.repository.ts';

const environment = readEnvironment([...stockVariables, 'SALES_TABLE', 'SEATS_TABLE', 'ORDERS_TABLE', 'UNITS_TABLE', 'ACCOUNTS_TABLE']);

const database = connectDatabase({ requestMsMax: largeReadMsMax });

const connected = once(() => connectStock(environment));

/** The stock, connected when it is first read: without the cache the rows are counted all the same. */
const stock: AuditStock = {
  read: async (saleId, shards) => (await connected()).stock.read(saleId, shards),
  holds: async function* (saleId) {
    yield* (await connected()).stock.holds(saleId);
  },
  freeRanges: async function* (saleId) {
    yield* (await connected()).stock.freeRanges(saleId);
  },
  suspectRanges: async function* (saleId) {
    yield* (await connected()).stock.suspectRanges(saleId);
  },
  seats: async function* (saleId) {
    yield* (await connected()).stock.seats(saleId);
  },
};

export const auditPorts: AuditPorts = {
  sales: saleRepository(database, environment.SALES_TABLE),
  seats: seatRepository(database, environment.SEATS_TABLE),
  rows: auditRepository(database, { orders: environment.ORDERS_TABLE, units: environment.UNITS_TABLE }),
  ledgers: ledgerRepository(database, environment.ACCOUNTS_TABLE),
  stock,
  clock,
};
