import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { largeReadMsMax } from '../shared/dynamo.ts';
import { readEnvironment } from '../shared/environment.ts';
import { acquireLease } from '../shared/lease.ts';
import { once } from '../shared/once.ts';
import { unitRows } from './rebuild.repository.ts';
import type { RebuildPorts } from './rebuild.ts';
import { rebuildKeys } from './stock.keys.ts';
import { connectCache, redisVariables } from './stock.wiring.ts';

const environment = readEnvironment([...redisVariables, 'SALES_TABLE', 'SEATS_TABLE', 'UNITS_TABLE']);
const database = connectDatabase({ requestMsMax: largeReadMsMax });

/** How long nobody else rebuilds a sale whose rebuilder has died. Many times longer than the longest step between two renewals. */
const leaseMs = 30_000;

/** What a rebuild needs, connected at the first message. The stock as it is: a rebuild that asked for rebuilds would never end. */
export const rebuildPorts = once(async (): Promise<Omit<RebuildPorts, 'hasTime'>> => {
  const { redis, stock } = await connectCache(environment);
  return {
    stock,
    // Whoever comes while another is at it has nothing to wait for: the other one's result is as good.
    lease: (saleId) => acquireLease(redis, { purpose: 'rebuild', key: rebuildKeys(saleId).lease, leaseMs, waitMsMax: 0, clock }),
    sales: saleRepository(database, environment.SALES_TABLE),
    seats: seatRepository(database, environment.SEATS_TABLE),
    rows: unitRows(database, environment.UNITS_TABLE),
  };
});
