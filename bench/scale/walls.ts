import type { Inputs } from './measured.ts';
import { type Load, type Needs, needsOf, redisUs, sumOf } from './model.ts';
import { quotas } from './sources.ts';

/** Something that the load can't get past as it is. */
export interface Wall {
  readonly name: string;
  /** What counts against it, and at how many a second it stands. */
  readonly of: 'attempts' | 'orders';
  readonly perSecond: number;
  readonly share: number;
  /** Why it stands there. */
  readonly because: string;
  /** Whose it is: a quota that AWS raises, a property of a service, or of this project. */
  readonly whose: 'quota' | 'service' | 'ours';
  /** What happens beyond it. */
  readonly beyond: 'refused' | 'late';
  readonly moves: string;
}

const number = (value: number) => Math.round(value).toLocaleString('en-US');
const micros = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** Every wall that is known, the one that is met first at the beginning: by the share of the load that gets through. */
export function wallsOf(inputs: Inputs, load: Load): Wall[] {
  const needs = needsOf(inputs, load);
  const walls = [...attemptWalls(inputs, load, needs), ...orderWalls(inputs, load, needs)];
  const wanted = { attempts: load.attemptsPerSecond, orders: load.ordersPerSecond };
  return walls
    .map((wall) => ({ ...wall, share: wanted[wall.of] === 0 ? Number.POSITIVE_INFINITY : wall.perSecond / wanted[wall.of] }))
    .sort((one, other) => one.share - other.share);
}

type Unsorted = Omit<Wall, 'share'>;

function attemptWalls(inputs: Inputs, { stockShards }: Load, needs: Needs): Unsorted[] {
  const { measured, counted, assumed } = inputs;
  const { httpRequests, lambdaConcurrency, lambdaRequestsPerEnvironment, lambdaScaling, partitionReads, redisConnections, secretReads } =
    quotas;
  const perEnvironment = lambdaRequestsPerEnvironment.value;
  const stage = counted.stageRequestsPerSecond.value;
  const firstMinute = (lambdaScaling.value * perEnvironment * 60) / 10;
  return [
    {
      name: 'HTTP API, requests of the account',
      of: 'attempts',
      perSecond: Math.min(httpRequests.value, stage),
      because: `quota of ${number(httpRequests.value)} requests/s; the stage itself is throttled at ${number(stage)}`,
      whose: 'quota',
      beyond: 'refused',
      moves:
        'ask for more and raise the stage’s throttle; several accounts or regions behind one name; let fewer in (a waiting room at the edge)',
    },
    {
      name: 'Lambda, environments of the account',
      of: 'attempts',
      perSecond: lambdaConcurrency.value * perEnvironment,
      because: `${number(lambdaConcurrency.value)} environments, ${perEnvironment} requests/s each, however short`,
      whose: 'quota',
      beyond: 'refused',
      moves: `ask for ${number(needs.environments)}; or leave the rule behind: Lambda Managed Instances and containers take many requests at once in one environment`,
    },
    {
      name: 'Lambda, a minute after a cold start',
      of: 'attempts',
      perSecond: firstMinute,
      because: `${number(lambdaScaling.value)} more environments every 10 s: all of them after ${number(needs.scalingSeconds / 60)} minutes`,
      whose: 'service',
      beyond: 'refused',
      moves: 'provisioned concurrency before the sale opens',
    },
    firstRequests({
      name: 'DynamoDB, the sale’s row, a second after the opening',
      environmentsPerSecond: partitionReads.value / counted.firstRequestReads.value,
      needs,
      because: `${number(partitionReads.value)} reads/s of one key, ${counted.firstRequestReads.value} by each environment at its first request`,
    }),
    firstRequests({
      name: 'Secrets Manager, a second after the opening',
      environmentsPerSecond: secretReads.value / counted.firstRequestSecrets.value,
      needs,
      because: `quota of ${number(secretReads.value)} reads/s, ${counted.firstRequestSecrets.value} by each environment at its first request`,
    }),
    {
      name: 'Redis, one slot',
      of: 'attempts',
      perSecond: needs.attemptsPerRedisShard * stockShards,
      because: `one thread, ${micros(redisUs(inputs, stockShards > 1).refusal)} µs for a refusal, kept below ${assumed.redisLoadMax.value * 100} % busy, ${stockShards} ${stockShards === 1 ? 'shard' : 'shards'} of stock`,
      whose: 'ours',
      beyond: 'late',
      moves: `the sale’s stock on ${needs.redisShards} shards; refusals of a sale that is sold out from the edge`,
    },
    {
      name: 'Redis, connections to a node',
      of: 'attempts',
      perSecond: (redisConnections.value / measured.connectionsPerShard.value) * perEnvironment,
      because: `${number(redisConnections.value)} connections, ${measured.connectionsPerShard.value} of each environment, ${perEnvironment} requests/s through each`,
      whose: 'service',
      beyond: 'refused',
      moves:
        'environments that take many requests at once; sales on caches of their own. More shards of one sale do not help: each environment comes to each',
    },
  ];
}

/** What environments do at their first request stands in the way of those that were provisioned, and are met by a crowd all at once. */
function firstRequests(of: { name: string; environmentsPerSecond: number; needs: Needs; because: string }): Unsorted {
  const seconds = of.needs.environments / of.environmentsPerSecond;
  return {
    name: of.name,
    of: 'attempts',
    perSecond: of.environmentsPerSecond * quotas.lambdaRequestsPerEnvironment.value,
    because: `${of.because}: ${number(seconds)} s until all have had one`,
    whose: 'ours',
    beyond: 'refused',
    moves: 'do it while an environment starts, and not at its first request; fewer environments with more requests each',
  };
}

function orderWalls({ counted, assumed }: Inputs, _: Load, needs: Needs): Unsorted[] {
  const { newTableWrites, tableWrites, partitionWrites, putEventsRequests, putEventsEntries, busInvocations } = quotas;
  const units = needs.writeUnitsPerOrder;
  const most = (entries: readonly (readonly [string, number])[]) => entries.reduce((max, each) => (each[1] > max[1] ? each : max));
  const [newest, newestUnits] = most(Object.entries(units));
  const [largest, largestUnits] = most(needs.tableWrites.map(({ table, perOrder }) => [table, perOrder] as const));
  const messages = sumOf(counted.orderMessages.value);
  const events = counted.orderEvents.value;
  const slowest = needs.consumers.reduce((least, each) => {
    const rate = (consumer: typeof each) => consumer.messagesPerSecondMax / consumer.messagesPerOrder;
    return rate(each) < rate(least) ? each : least;
  });
  const spread = (
    name: string,
    shards: number,
    perOrder: number,
    where: string,
    moves: string,
    beyond: Wall['beyond'] = 'refused',
  ): Unsorted => ({
    name,
    of: 'orders',
    perSecond: (shards * partitionWrites.value) / perOrder,
    because: `${shards} ${shards === 1 ? 'key' : 'keys'} of ${number(partitionWrites.value)} write units/s, ${perOrder} ${perOrder === 1 ? 'unit' : 'units'} an order${where}`,
    whose: 'ours',
    beyond,
    moves,
  });
  const index = 'more partitions (a constant, and its readers ask all of them)';
  const newShards = Math.ceil(newTableWrites.value / partitionWrites.value);
  const dispatched = (newShards * counted.streamLanes.value * counted.streamRowsPerBatch.value * 1_000) / assumed.dispatchMs.value;
  return [
    {
      name: `DynamoDB, a new table (${newest})`,
      of: 'orders',
      perSecond: newTableWrites.value / newestUnits,
      because: `${number(newTableWrites.value)} write units/s, ${newestUnits} an order`,
      whose: 'service',
      beyond: 'refused',
      moves: 'warm throughput before the sale opens; a table that once had the load keeps what it grew to',
    },
    {
      name: 'EventBridge, events sent on',
      of: 'orders',
      perSecond: busInvocations.value / messages,
      because: `quota of ${number(busInvocations.value)}/s, ${messages} messages an order`,
      whose: 'quota',
      beyond: 'late',
      moves: 'ask for more; OrderUpdated past the bus (it is most of the messages), straight from the stream to its consumers',
    },
    {
      name: `DynamoDB, a table’s quota (${largest} with its indexes)`,
      of: 'orders',
      perSecond: tableWrites.value / largestUnits,
      because: `quota of ${number(tableWrites.value)} write units/s, ${largestUnits} an order`,
      whose: 'quota',
      beyond: 'refused',
      moves: 'ask for more, for each table that the next table shows above it; pre-warming beyond it is refused too',
    },
    {
      name: 'EventBridge, PutEvents',
      of: 'orders',
      perSecond: (putEventsRequests.value * putEventsEntries.value) / events,
      because: `quota of ${number(putEventsRequests.value)} requests/s of ${putEventsEntries.value} events, ${events} an order`,
      whose: 'quota',
      beyond: 'late',
      moves: 'ask for more; fewer events an order',
    },
    {
      name: `The slowest consumer (${slowest.name})`,
      of: 'orders',
      perSecond: slowest.messagesPerSecondMax / slowest.messagesPerOrder,
      because: `${counted.concurrencyMax.value[slowest.name]} environments of ${counted.messagesPerBatch.value[slowest.name]} messages in ${assumed.batchMs.value} ms, ${slowest.messagesPerOrder} messages an order`,
      whose: 'ours',
      beyond: 'late',
      moves:
        slowest.name === 'views/stock-level'
          ? 'its row per item in several parts, then more environments'
          : 'its highest concurrency, a constant of the template',
    },
    spread('DynamoDB, the due index', counted.dueShards.value, units['orders/due'] ?? 0, ', in and out', index),
    spread('DynamoDB, the index of orders by sale', counted.saleShards.value, units['orders/bySale'] ?? 0, ', all of one sale', index),
    spread(
      'DynamoDB, the view of all orders by time',
      counted.timeShards.value,
      units['views/byTime'] ?? 0,
      ', of all sales',
      index,
      'late',
    ),
    spread(
      'DynamoDB, units of one item',
      counted.unitBuckets.value,
      units.units ?? 0,
      '',
      'more buckets (a constant; it must not change while a sale has rows)',
    ),
    spread(
      'DynamoDB, the figures of one item',
      1,
      units.stockLevels ?? 0,
      ', written once for a whole batch',
      'a row in several parts, summed by whoever reads it',
      'late',
    ),
    {
      name: 'The dispatcher, on a new outbox table',
      of: 'orders',
      perSecond: dispatched / counted.orderOutboxRows.value,
      because: `${newShards} shards of the stream, ${counted.streamLanes.value} lanes each, ${counted.streamRowsPerBatch.value} rows in ${assumed.dispatchMs.value} ms, ${counted.orderOutboxRows.value} rows an order`,
      whose: 'service',
      beyond: 'late',
      moves: 'warm throughput of the outbox: its partitions are the shards of its stream',
    },
  ];
}
