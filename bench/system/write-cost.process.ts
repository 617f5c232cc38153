import { pathToFileURL } from 'node:url';
import type { Sale } from '../../functions/sales/sale.model.ts';
import type * as Claims from './claims.ts';
import { type Profile, threadProfiler } from './profiler.ts';
import { serveParent } from './remote.ts';

// A process that does nothing but write, so that its CPU is the writes'. The server has a process of its own.

export interface Writes {
  /** The numbers of the writes, which no other write has had. */
  readonly from: number;
  readonly count: number;
  /** One at a time, as a container of Lambda's has them, or more. */
  readonly inFlight: number;
}

/** Of one write. */
export interface WriteCost {
  readonly cpuMicros: number;
  readonly wallMicros: number;
}

let claims: typeof Claims | undefined;
let sale: Sale | undefined;
let table = '';

async function open(given: { bundle: string; sale: Sale; table: string }): Promise<void> {
  claims = (await import(pathToFileURL(given.bundle).href)) as typeof Claims;
  ({ sale, table } = given);
}

async function costOf({ from, count, inFlight }: Writes, write: (number: number) => Promise<unknown>): Promise<WriteCost> {
  let next = from;
  const before = process.cpuUsage();
  const startMs = performance.now();
  const lane = async () => {
    while (next < from + count) await write(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: (user + system) / count, wallMicros: (1_000 * (performance.now() - startMs)) / count };
}

const claim = async (number: number) => {
  if (!claims || !sale) throw new Error('nothing is open');
  await claims.claimOrder(sale, number);
};
const put = async (number: number) => {
  if (!claims) throw new Error('nothing is open');
  await claims.putItem(table, number);
};

const profiler = threadProfiler();

async function profileClaims(writes: Writes): Promise<Profile> {
  await profiler.start();
  await costOf(writes, claim);
  return profiler.stop();
}

serveParent({
  open,
  claims: (writes: Writes) => costOf(writes, claim),
  puts: (writes: Writes) => costOf(writes, put),
  profileClaims,
});
