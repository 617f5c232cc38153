import { connectRedis } from '../../functions/shared/redis.ts';
import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Section, SectionResult } from '../lib/section.ts';
import { crowd, type Sizes } from '../mechanisms/load.ts';
import { type BenchCluster, benchCluster, connectLanes } from './cluster.ts';
import { type Fall, fallOf, saleIdWith } from './placement.ts';
import { type MeasuredPlan, type MeasuredVerbs, type Plan, report } from './report.ts';
import { type Overheard, overhear } from './sent.ts';
import { saleOf, saleVerbs, stockVerbs, type Verbs, verbMicros, type World } from './sharded-sale.ts';
import { teach, watcher } from './watch.ts';

const masters = 3;
/** The first is what the others are compared with. `loads`: how many shards the masters have, in whichever order. */
const plans: readonly Plan[] = [
  { name: '1 shard', shards: 1, loads: [1, 0, 0] },
  { name: '3 shards, one a master', shards: 3, loads: [1, 1, 1] },
  { name: '3 shards, two on one master', shards: 3, loads: [2, 1, 0] },
  { name: '6 shards, two a master', shards: 6, loads: [2, 2, 2] },
];
/** The first stands there twice: how far two are apart that are the same. */
const verbs: readonly Verbs[] = [stockVerbs, { ...stockVerbs, name: 'the same once more, for the noise' }, saleVerbs];
/** By a client alone, without a Redis: what is looked for is small. */
const callsAlone = { full: 200_000, quick: 100 };

/** Most attempts get a unit, and then the crowd that stands before `mechanisms`: most are refused. */
const full: readonly Sizes[] = [12_000, 1_000].map((stock) => ({ attempts: 20_000, stock, lanes: 64, quantityMax: 1 }));
const quick: readonly Sizes[] = [60, 20].map((stock) => ({ attempts: 100, stock, lanes: 8, quantityMax: 1 }));
/** So many ids are looked at for where their shards would be, with so many shards. */
const ids = { full: 1_000, quick: 20 };
const fallsOf = [3, 6, 12, 24];

export const section: Section = {
  name: 'shards',
  title: `one item's stock on several shards, on a cluster of ${masters} masters: the load of the busiest, not throughput; and what one shard costs`,
  async run(context): Promise<SectionResult> {
    const crowds = context.quick ? quick : full;
    const [selling] = crowds;
    if (!selling) throw new Error('there is no crowd');
    const one = await onOneServer(context, selling);

    const cluster = await benchCluster(context, masters);
    const lanes = await connectLanes(context, cluster, selling.lanes);
    await teach(cluster.admin);
    const overheard = lanes.map(overhear);
    const world = { admin: cluster.admin, lanes };
    const falls: Fall[] = [];
    for (const shards of fallsOf) {
      falls.push(await fallOf(cluster.slots, shards, context.quick ? ids.quick : ids.full, context.random.fork(`fall of ${shards}`)));
    }
    const saleIds = new Map<Plan, string>();
    for (const plan of plans) saleIds.set(plan, await saleIdWith(cluster.slots, plan.loads, context.random.fork(plan.name)));

    const groups = [];
    for (const sizes of crowds) {
      const sold = await interleave(context, plans, (plan, round) => {
        const sale = { saleId: saleIds.get(plan) ?? '', shards: plan.shards };
        return sellOnCluster(context, cluster, { world, overheard, sale, sizes, round });
      });
      groups.push({ sizes, plans: [...sold].map(([plan, rounds]): MeasuredPlan => ({ ...plan, rounds })) });
    }
    return report({ groups, one, falls, cluster });
  },
};

/** The same crowd at every candidate of a round. */
const inRound = ({ random, signal }: BenchContext, round: number) => ({ random: random.fork(`crowd ${round}`), signal });

interface Selling {
  readonly world: World;
  readonly overheard: readonly Overheard[];
  readonly sale: { readonly saleId: string; readonly shards: number };
  readonly sizes: Sizes;
  readonly round: number;
}

async function sellOnCluster(context: BenchContext, cluster: BenchCluster, { world, overheard, sale, sizes, round }: Selling) {
  await cluster.flush();
  const { witness, observed } = watcher(
    cluster.nodes.map(({ meter }) => meter),
    overheard,
  );
  const crowded = await crowd(saleOf(saleVerbs, sale, witness), world, sizes, inRound(context, round));
  return { ...observed(), crowded };
}

/** A sale of one shard on a single server, by both sets of verbs. */
async function onOneServer(context: BenchContext, sizes: Sizes): Promise<MeasuredVerbs[]> {
  const redis = await context.redis({ pinned: !context.quick });
  const connect = () => connectRedis({ url: redis.url, mode: 'single', commandTimeoutMs: 10_000 });
  const admin = connect();
  const lanes = Array.from({ length: sizes.lanes }, connect);
  const close = () => {
    for (const client of [admin, ...lanes]) client.disconnect();
  };
  context.onStop(close);
  await teach(admin);

  const sell = async (of: Verbs, round: number, overheard: readonly Overheard[] = []) => {
    await redis.flush();
    const { witness, observed } = watcher([redis], overheard);
    const sale = saleOf(of, { saleId: 'launch-day', shards: 1 }, witness);
    const crowded = await crowd(sale, { admin, lanes }, sizes, inRound(context, round));
    return { ...observed(), crowded };
  };
  const alone = (of: Verbs) => verbMicros(of, context.quick ? callsAlone.quick : callsAlone.full);
  // Once for nothing: the first calls find code that is not compiled yet.
  for (const each of verbs) await sell(each, 0);
  for (const each of verbs) await alone(each);
  const measured = await interleave(context, verbs, (each, round) => sell(each, round));
  const aloneBy = await interleave(context, verbs, alone);
  // To be overheard costs the client something: only now, and once.
  const overheard = lanes.map(overhear);
  const all: MeasuredVerbs[] = [];
  for (const [each, rounds] of measured) {
    all.push({ name: each.name, rounds, aloneMicros: aloneBy.get(each) ?? [], counted: await sell(each, 0, overheard) });
  }
  // It goes before the cluster comes: that one's servers are not to be pinned as this process is now.
  close();
  await redis.stop();
  return all;
}
