import { createHash } from 'node:crypto';
import type { Placed } from './assembly.ts';
import { jsonClient } from './aws-json.ts';
import type { HostedFunction } from './containers.ts';
import { region } from './intrinsics.ts';
import { compilePattern } from './pattern.ts';
import type { Poller } from './queue-pollers.ts';
import { StreamLane, type StreamRecord } from './stream-lane.ts';

export interface StreamMapping {
  readonly mapping: Placed<'AWS::Lambda::EventSourceMapping'>;
  readonly endpoint: string;
  readonly streamArn: string;
  readonly target: Pick<HostedFunction, 'invoke' | 'arn'>;
  readonly giveUpTo: (notice: object) => Promise<void>;
  readonly onLog: (line: string) => void;
  readonly nowMs: () => number;
}

/** Records read ahead of the function at most. */
const backlogMax = 2_000;
const pageMax = 500;
/** A buyer waits for what comes out of a stream: it is looked at often while something happens, and less once it has been quiet. */
const busyRestMs = 15;
const quietRestMs = 60;
const quietAfterMs = 3_000;
const errorRestMs = 500;
const shardsAgainMs = 10_000;

interface Shard {
  readonly id: string;
  readonly parentId: string | undefined;
  iterator: string | undefined;
}

/**
 * A DynamoDB stream's event source mapping: records of one key stay in order, in as many lanes as the mapping's parallelization factor.
 * Positions live as long as this runtime; a new one begins where the mapping's starting position says.
 */
export function startStreamPoller(source: StreamMapping): Poller {
  const client = jsonClient(source.endpoint, 'DynamoDBStreams_20120810');
  const { mapping, streamArn, target } = source;
  const { properties } = mapping;
  const lanes = Array.from(
    { length: properties.ParallelizationFactor },
    () =>
      new StreamLane({
        batchSize: properties.BatchSize ?? 100,
        windowMs: properties.MaximumBatchingWindowInSeconds * 1_000,
        reportsItemFailures: properties.FunctionResponseTypes.length > 0,
        bisects: properties.BisectBatchOnFunctionError,
        retriesMax: properties.MaximumRetryAttempts,
        ageSecondsMax: properties.MaximumRecordAgeInSeconds,
        streamArn,
        functionArn: target.arn,
        invoke: (event) => target.invoke(event),
        onGivenUp: source.giveUpTo,
        onLog: source.onLog,
        nowMs: source.nowMs,
      }),
  );
  const place = `${mapping.stack}/${mapping.logicalId}`;
  const filters = (properties.FilterCriteria?.Filters ?? []).map(({ Pattern }) => compilePattern(JSON.parse(Pattern), place));
  const isWanted = (record: StreamRecord) => filters.length === 0 || filters.some((matches) => matches({ ...record }));

  const shards = new Map<string, Shard>();
  const ended = new Set<string>();
  let stopping = false;
  let lastRecordMs = performance.now();
  let shardsReadMs = Number.NEGATIVE_INFINITY;

  async function findShards(): Promise<void> {
    const { StreamDescription } = (await client.call('DescribeStream', { StreamArn: streamArn })) as {
      StreamDescription: { Shards?: { ShardId: string; ParentShardId?: string }[] };
    };
    for (const { ShardId, ParentShardId } of StreamDescription.Shards ?? []) {
      if (shards.has(ShardId) || ended.has(ShardId)) continue;
      // What begins later than this runtime is read whole, whatever the mapping says of its own beginning.
      const type = Number.isFinite(shardsReadMs) ? 'TRIM_HORIZON' : properties.StartingPosition;
      const { ShardIterator } = (await client.call('GetShardIterator', { StreamArn: streamArn, ShardId, ShardIteratorType: type })) as { ShardIterator: string };
      shards.set(ShardId, { id: ShardId, parentId: ParentShardId, iterator: ShardIterator });
    }
    shardsReadMs = performance.now();
  }

  /** Reads one page of a shard; how many records it had. */
  async function read(shard: Shard): Promise<number> {
    const { Records = [], NextShardIterator } = (await client.call('GetRecords', { ShardIterator: shard.iterator, Limit: pageMax })) as {
      Records?: StreamRecord[];
      NextShardIterator?: string;
    };
    for (const record of Records) {
      const complete = { ...record, eventSource: 'aws:dynamodb', awsRegion: region, eventSourceARN: streamArn };
      if (isWanted(complete)) lanes[laneOf(record, lanes.length)]?.push(complete);
    }
    shard.iterator = NextShardIterator;
    if (NextShardIterator === undefined) {
      shards.delete(shard.id);
      ended.add(shard.id);
      shardsReadMs = 0;
    }
    return Records.length;
  }

  async function poll(): Promise<void> {
    while (!stopping) {
      try {
        if (performance.now() - shardsReadMs > shardsAgainMs) await findShards();
        const backlog = lanes.reduce((sum, lane) => sum + lane.backlog, 0);
        let records = 0;
        if (backlog < backlogMax) {
          // A child's records come after its parent's.
          for (const shard of [...shards.values()]) if (!shards.has(shard.parentId ?? '')) records += await read(shard);
        }
        if (records > 0) lastRecordMs = performance.now();
        if (records < pageMax) await pause(performance.now() - lastRecordMs > quietAfterMs ? quietRestMs : busyRestMs);
      } catch (error) {
        if (stopping) return;
        source.onLog(`${streamArn}: ${String(error)}`);
        // An iterator that went stale is made anew where it matters: positions are the lanes', and consumers bear repeats.
        await pause(errorRestMs);
      }
    }
  }

  const polling = poll();
  return {
    async stop() {
      stopping = true;
      await Promise.all([polling, ...lanes.map((lane) => lane.stop())]);
      client.close();
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function laneOf({ dynamodb }: StreamRecord, lanes: number): number {
  // One item's key, whatever order its members come in; the partition alone decides in AWS, so that its order holds over sort keys.
  const keys = Object.entries(dynamodb.Keys).sort(([one], [other]) => one.localeCompare(other));
  return createHash('sha1').update(JSON.stringify(keys)).digest().readUInt32BE(0) % lanes;
}
