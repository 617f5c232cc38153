import type { Cluster, Redis } from 'ioredis';
import { clusterIsKnown, connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import { CannotStart } from '../../lib/local/child.ts';
import { findProgram } from '../../lib/local/redis.ts';
import { startCluster } from '../../test/scripts/redis-cluster.ts';
import { pinApart } from '../lib/pinning.ts';
import { type Meter, meterOf, pidOf, versionOf } from '../lib/redis-server.ts';
import type { BenchContext } from '../lib/section.ts';
import type { SlotRun, Slots } from './placement.ts';

export interface BenchCluster {
  readonly url: string;
  readonly version: string;
  readonly isPinned: boolean;
  /** For what is not measured. */
  readonly admin: RedisClient;
  /** Which slots are whose, and a node that computes them. */
  readonly slots: Slots;
  readonly nodes: readonly { readonly meter: Meter; readonly admin: Redis; readonly slots: SlotRun }[];
  /** Nothing is left of what was stored. */
  flush(): Promise<void>;
}

/** So many masters without persistence and replicas, all on one core where they can be pinned, until the section's end. */
export async function benchCluster(context: BenchContext, size: number): Promise<BenchCluster> {
  const program = findProgram();
  const cluster = await startCluster(size);
  if (!program || !cluster) throw new CannotStart('The bench needs a native Redis: put redis-server or valkey-server on the PATH.');
  context.onStop(() => cluster.stop());
  const nodes = cluster.masters.map(({ node, slots }) => ({ meter: meterOf(node), admin: node, slots }));
  const release = context.quick ? undefined : pinApart(...(await Promise.all(nodes.map(({ admin }) => pidOf(admin)))));
  context.onStop(() => release?.());
  const admin = connectRedis({ url: cluster.url, mode: 'cluster', commandTimeoutMs: 30_000 });
  context.onStop(() => admin.disconnect());
  const [first] = nodes;
  if (!first) throw new Error('a cluster of no masters');
  return {
    url: cluster.url,
    version: await versionOf(first.admin, program.name),
    isPinned: release !== undefined,
    admin,
    slots: { node: first.admin, masters: nodes.map(({ slots }) => slots) },
    nodes,
    async flush() {
      for (const node of nodes) await node.admin.flushall('SYNC');
    },
  };
}

/** Buyers' connections, each as a container's, with every master reached: who connects in the middle of a crowd would measure that. */
export async function connectLanes(context: BenchContext, { url, nodes }: BenchCluster, count: number): Promise<RedisClient[]> {
  const lanes = Array.from({ length: count }, () => connectRedis({ url, mode: 'cluster', commandTimeoutMs: 10_000 }));
  context.onStop(() => {
    for (const lane of lanes) lane.disconnect();
  });
  for (const lane of lanes) {
    await clusterIsKnown(lane);
    const masters = (lane as Cluster).nodes('master');
    if (masters.length !== nodes.length) throw new Error(`a client knows ${masters.length} of ${nodes.length} masters`);
    await Promise.all(masters.map((master) => master.ping()));
  }
  return lanes;
}
