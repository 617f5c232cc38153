import { join } from 'node:path';
import { bundleAs } from '../cold-start/bundle.ts';
import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Row } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { byPackage } from './buckets.ts';
import { other, percentages, sharesOf } from './profile.ts';
import type { Profile } from './profiler.ts';
import { type Remote, startRemote } from './remote.ts';
import { type Stage, scratchDirectory } from './stage.ts';
import type { WriteCost, Writes } from './write-cost.process.ts';

const group = 'client CPU of a write to DynamoDB';
const candidates = [
  { action: 'claims', inFlight: 1, what: 'an order, one at a time' },
  { action: 'puts', inFlight: 1, what: 'PutItem by the default SDK client, one at a time' },
  { action: 'claims', inFlight: 16, what: 'an order, 16 in flight' },
  { action: 'puts', inFlight: 16, what: 'PutItem by the default SDK client, 16 in flight' },
] as const;
const [claimAlone, putAlone, claimsInFlight, putsInFlight] = candidates;

/** A process that writes orders and items to the stage's database, and does nothing else. */
export async function startWriter(context: Pick<BenchContext, 'onStop' | 'signal'>, stage: Stage): Promise<Remote> {
  const bundle = join(await scratchDirectory(context), 'claims.cjs');
  bundleAs(bundle, 'bench/system/claims.ts');
  const sale = await stage.openSale('writes', 1_000_000);
  const remote = startRemote(new URL('write-cost.process.ts', import.meta.url), { environment: stage.environmentOf(stage.placing) });
  context.onStop(() => remote.stop());
  // A table without indexes or stream, whose key is one text.
  await remote.call('open', { bundle, sale, table: stage.tableOf('failures') });
  return remote;
}

/** What the claim of a successful order costs its client, beside the least that a write costs with the SDK as it comes. */
export async function writeCost(context: BenchContext, stage: Stage): Promise<{ rows: Row[]; notes: string[] }> {
  const remote = await startWriter(context, stage);
  const count = context.quick ? 10 : 200;
  let from = 0;
  const write = (action: string, inFlight: number, times = count) => {
    const writes: Writes = { from, count: times, inFlight };
    from += times;
    return remote.call<WriteCost>(action, writes);
  };
  // The compiler has seen both before any of them counts.
  for (const { action, inFlight } of candidates) await write(action, inFlight, count * 2);
  const measured = await interleave(context, candidates, ({ action, inFlight }) => write(action, inFlight));
  const profile = await remote.call<Profile>('profileClaims', { from, count: count * 3, inFlight: 1 } satisfies Writes);
  await remote.stop();

  const microsOf = (candidate: (typeof candidates)[number]) => (measured.get(candidate) ?? []).map(({ cpuMicros }) => cpuMicros);
  const against = (claim: (typeof candidates)[number], put: (typeof candidates)[number]) => ratioOf(microsOf(claim), microsOf(put));
  const rowOf = (candidate: (typeof candidates)[number], put: (typeof candidates)[number]): Row => {
    const { median, spread } = summaryOf(microsOf(candidate));
    const ratio = against(candidate, put);
    const ratioTo = candidate === put ? {} : { ratioTo: { what: put.what, value: ratio.median, spread: ratio.spread } };
    return { group, what: candidate.what, value: median, unit: 'µs', spread, ...ratioTo };
  };
  const goal = against(claimAlone, putAlone);
  return {
    rows: [
      ...[rowOf(claimAlone, putAlone), rowOf(putAlone, putAlone), rowOf(claimsInFlight, putsInFlight), rowOf(putsInFlight, putsInFlight)],
      {
        ...{ group, what: 'order ÷ PutItem, one at a time', value: goal.median, unit: '×', spread: goal.spread },
        goal: {
          name: 'client CPU of a successful order’s DynamoDB write ÷ one default SDK PutItem',
          atLeast: 1,
          stretch: 0.4,
          direction: 'lower',
        },
      },
    ],
    notes: [
      'An order’s write is one transaction of four items (order, outbox row, unit, allowance); the PutItem has three attributes, and its client nothing set.',
      `An order’s write by package: ${topOf(profile)}.`,
    ],
  };
}

/** The packages that most of a profile's time goes to, and what is left for all others and for Node itself. */
export function topOf(profile: Profile, count = 10): string {
  const shown = percentages(sharesOf(profile, byPackage))
    .filter(([name]) => name !== other)
    .slice(0, count);
  const rest = 100 - shown.reduce((sum, [, percent]) => sum + percent, 0);
  return [...shown, ['the rest', rest] as const].map(([name, percent]) => `${name} ${percent.toFixed(1)}%`).join(', ');
}
