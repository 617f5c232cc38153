import { createHash } from 'node:crypto';
import type { Placed } from './assembly.ts';
import { jsonClient } from './aws-json.ts';
import type { HostedFunction } from './containers.ts';
import { type Kept, nothingKept } from './data-directory.ts';
import { region } from './intrinsics.ts';
import { compilePattern } from './pattern.ts';
import type { Poller } from './queue-pollers.ts';
import { StreamLane, type StreamRecord } from './stream-lane.ts';
import { StreamProgress } from './stream-progress.ts';

export interface StreamMapping {
  readonly mapping: Placed<'AWS::Lambda::EventSourceMapping'>;
  readonly endpoint: string;
  readonly streamArn: string;
  /** The table's partition key: what stands under one value of it stays in order. */
  readonly partitionKey: string;
  readonly target: Pick<HostedFunction, 'invoke' | 'arn'>;
  readonly giveUpTo: (notice: object) => Promise<void>;
  /** How far this consumer is, for the next start. */
  readonly kept?: Kept | undefined;
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

interface ShardDescription {
  readonly ShardId: string;
  readonly ParentShardId?: string;
  readonly SequenceNumberRange?: { readonly EndingSequenceNumber?: string };
}

interface Shard {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly startingPosition: string | undefined;
  /** Absent until it is asked for, and after an error: then reading goes on behind the last record seen. */
  iterator: string | undefined;
  lastSequenceNumber: string | undefined;
}

/**
 * A DynamoDB stream's event source mapping: records of one key stay in order, in as many lanes as the mapping's parallelization factor.
 * It goes on where an earlier run was, if that was kept, and otherwise begins where the mapping's starting position says.
 */
export function startStreamPoller(source: StreamMapping): Poller {
  const client = jsonClient(source.endpoint, 'DynamoDBStreams_20120810');
  const { mapping, streamArn, target } = source;
  const { properties } = mapping;
  const progress = new StreamProgress(streamArn, source.kept ?? nothingKept, source.onLog);
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
        onDone: (records) => progress.done(records),
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
  let isResumed: boolean | undefined;

  async function findShards(): Promise<void> {
    isResumed ??= await progress.resume();
    const { StreamDescription } = (await client.call('DescribeStream', { StreamArn: streamArn })) as {
      StreamDescription: { Shards?: ShardDescription[] };
    };
    for (const found of StreamDescription.Shards ?? []) {
      const { ShardId: id, ParentShardId: parentId } = found;
      if (shards.has(id) || ended.has(id)) continue;
      // What begins later than this runtime, or than the one it goes on from, is read whole, whatever the mapping says of its own beginning.
      const isLater = Number.isFinite(shardsReadMs) || isResumed;
      const startingPosition = isLater ? 'TRIM_HORIZON' : properties.StartingPosition;
      shards.set(id, { id, parentId, startingPosition, iterator: undefined, lastSequenceNumber: positionIn(found) });
    }
    shardsReadMs = performance.now();
  }

  /** Where to go on; not behind the shard's own end, which a machine that lost its power may have thrown back. */
  function positionIn({ ShardId, SequenceNumberRange }: ShardDescription): string | undefined {
    const kept = progress.positionIn(ShardId);
    const end = SequenceNumberRange?.EndingSequenceNumber;
    return kept !== undefined && end !== undefined && BigInt(end) < BigInt(kept) ? end : kept;
  }

  async function iteratorOf({ id, startingPosition, lastSequenceNumber }: Shard): Promise<string> {
    const position = lastSequenceNumber
      ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: lastSequenceNumber }
      : { ShardIteratorType: startingPosition };
    const { ShardIterator } = (await client.call('GetShardIterator', { StreamArn: streamArn, ShardId: id, ...position })) as {
      ShardIterator: string;
    };
    return ShardIterator;
  }

  /** Reads one page of a shard; how many records it had. */
  async function read(shard: Shard): Promise<number> {
    const ShardIterator = shard.iterator ?? (await iteratorOf(shard));
    shard.iterator = undefined;
    const { Records = [], NextShardIterator } = (await client.call('GetRecords', { ShardIterator, Limit: pageMax })) as {
      Records?: StreamRecord[];
      NextShardIterator?: string;
    };
    for (const record of Records) {
      const complete = { ...record, eventSource: 'aws:dynamodb', awsRegion: region, eventSourceARN: streamArn };
      progress.read(shard.id, complete);
      if (isWanted(complete)) lanes[laneOf(record, source.partitionKey, lanes.length)]?.push(complete);
      else progress.done([complete]);
    }
    shard.iterator = NextShardIterator;
    shard.lastSequenceNumber = Records.at(-1)?.dynamodb.SequenceNumber ?? shard.lastSequenceNumber;
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
        await pause(errorRestMs);
      }
    }
  }

  const polling = poll();
  return {
    async stop() {
      stopping = true;
      await Promise.all([polling, ...lanes.map((lane) => lane.stop())]);
      await progress.close();
      client.close();
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function laneOf({ dynamodb }: StreamRecord, partitionKey: string, lanes: number): number {
  return createHash('sha1').update(JSON.stringify(dynamodb.Keys[partitionKey])).digest().readUInt32BE(0) % lanes;
}
