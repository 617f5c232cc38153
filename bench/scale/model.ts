import type { Inputs } from './measured.ts';
import { quotas } from './sources.ts';

/** What is asked of the system. */
export interface Load {
  readonly attemptsPerSecond: number;
  /** Attempts that win, each with an order that is paid by balance and fulfilled. */
  readonly ordersPerSecond: number;
  readonly unitsPerOrder: number;
  /** Over how many shards of Redis one sale's stock is spread. */
  readonly stockShards: number;
}

const secondsPerScaling = 10;
const perMillion = 1_000_000;

/** What the load means for each part, worked out from the inputs. Rates are per second. */
export interface Needs {
  readonly environments: number;
  readonly busyEnvironments: number;
  readonly scalingSeconds: number;
  /** Of Redis: how many cores the scripts keep busy, and how many shards that makes. */
  readonly redisCores: number;
  readonly redisShards: number;
  readonly attemptsPerRedisShard: number;
  /** Cores that the same requests keep busy outside Lambda, where one process takes many at once. */
  readonly cpuCores: number;
  /** How many orders may come at once before the first hold ends that nobody has charged, at the quotas as they are. */
  readonly burstOrders: number;
  readonly writeUnitsPerOrder: Readonly<Record<string, number>>;
  /** By table, its indexes included. */
  readonly tableWrites: readonly TableNeed[];
  readonly outboxRows: number;
  readonly streamShards: number;
  readonly dispatchers: number;
  readonly events: number;
  readonly messages: number;
  readonly consumers: readonly ConsumerNeed[];
  readonly warmWriteUnits: number;
}

export interface TableNeed {
  readonly table: string;
  /** Of the table itself, and of each of its indexes. */
  readonly parts: Readonly<Record<string, number>>;
  readonly perOrder: number;
  readonly perSecond: number;
  readonly partitions: number;
}

export interface ConsumerNeed {
  readonly name: string;
  readonly messagesPerOrder: number;
  readonly messagesPerSecond: number;
  readonly messagesPerSecondMax: number;
}

export const sumOf = (values: Readonly<Record<string, number>>): number => Object.values(values).reduce((sum, value) => sum + value, 0);

/** Write units of an order, by table and `table/index`. In a crowd a whole batch of messages writes the figures of its items once. */
export function writeUnitsOf({ counted }: Inputs, unitsPerOrder: number, pace: 'crowd' | 'single'): Record<string, number> {
  const more = counted.furtherUnitWriteUnits.value;
  const batch = counted.messagesPerBatch.value['views/stock-level'] ?? 1;
  const share = (where: string) => (pace === 'crowd' && where === 'stockLevels' ? 1 / batch : 1);
  return Object.fromEntries(
    Object.entries(counted.orderWriteUnits.value).map(([where, units]) => [
      where,
      (units + (more[where] ?? 0) * (unitsPerOrder - 1)) * share(where),
    ]),
  );
}

/**
 * Of Redis' time in microseconds: an attempt that is refused, and an order with all its scripts. Each environment asks the script about once a second
 * and looks beside that. In a sale of several shards all units lie in pools, as those do that came back.
 */
export function redisUs({ measured, counted }: Inputs, isSharded: boolean): { refusal: number; order: number } {
  const of: Record<string, number> = {
    reserve: isSharded ? measured.pooledReserveServerUs.value : measured.reserveServerUs.value,
    acknowledge: measured.acknowledgeServerUs.value,
    confirm: measured.confirmServerUs.value,
  };
  const order = Object.entries(counted.orderScripts.value).reduce((sum, [name, calls]) => {
    const us = of[name];
    if (us === undefined) throw new Error(`how long does ${name} take?`);
    return sum + us * calls;
  }, 0);
  const perScript = quotas.lambdaRequestsPerEnvironment.value;
  return { refusal: measured.refusalServerUs.value + measured.scriptRefusalServerUs.value / perScript, order };
}

/** What the load needs of each layer. Pure arithmetic; rates per second unless a name says otherwise. */
export function needsOf(inputs: Inputs, load: Load): Needs {
  const { measured, assumed, counted } = inputs;
  const { attemptsPerSecond: attempts, ordersPerSecond: orders } = load;
  const refused = attempts - orders;
  const coresOf = (us: ReturnType<typeof redisUs>) => (refused * us.refusal + orders * us.order) / perMillion;
  const isOneSlotEnough = coresOf(redisUs(inputs, false)) <= assumed.redisLoadMax.value;
  const redisCores = coresOf(redisUs(inputs, !isOneSlotEnough));
  const environments = Math.ceil(attempts / quotas.lambdaRequestsPerEnvironment.value);
  const writeUnitsPerOrder = writeUnitsOf(inputs, load.unitsPerOrder, 'crowd');
  const tableWrites = tablesOf(writeUnitsPerOrder, orders);
  const outbox = tableWrites.find(({ table }) => table === 'outbox');
  const streamShards = outbox?.partitions ?? 0;
  const messages = counted.orderMessages.value;
  return {
    environments,
    busyEnvironments: Math.ceil((refused * assumed.refusalMs.value + orders * assumed.orderMs.value) / 1_000),
    scalingSeconds: (environments / quotas.lambdaScaling.value) * secondsPerScaling,
    redisCores,
    redisShards: Math.ceil(redisCores / assumed.redisLoadMax.value),
    attemptsPerRedisShard: (attempts * assumed.redisLoadMax.value) / coresOf(redisUs(inputs, load.stockShards > 1)),
    cpuCores: (refused * measured.refusalCpuUs.value + orders * measured.orderCpuUs.value) / perMillion,
    burstOrders: chargedPerSecond(inputs) * counted.holdSeconds.value,
    writeUnitsPerOrder,
    tableWrites,
    outboxRows: orders * counted.orderOutboxRows.value,
    streamShards,
    dispatchers: streamShards * counted.streamLanes.value,
    events: orders * counted.orderEvents.value,
    messages: orders * sumOf(messages),
    consumers: Object.entries(messages).map(([name, perOrder]) => ({
      name,
      messagesPerOrder: perOrder,
      messagesPerSecond: orders * perOrder,
      messagesPerSecondMax: consumerRate(inputs, name),
    })),
    warmWriteUnits: Object.values(writeUnitsPerOrder).reduce(
      (sum, units) => sum + Math.max(0, units * orders - quotas.newTableWrites.value),
      0,
    ),
  };
}

/** How many messages a second a consumer takes when all its environments are at it and batches are full. */
function consumerRate({ assumed, counted }: Inputs, name: string): number {
  const environments = counted.concurrencyMax.value[name] ?? 0;
  const batch = counted.messagesPerBatch.value[name] ?? 0;
  return (environments * batch * 1_000) / assumed.batchMs.value;
}

/** How many orders a second the events charge: what passes the bus, and what the consumer of payments takes. */
function chargedPerSecond(inputs: Inputs): number {
  const { orderEvents, orderMessages } = inputs.counted;
  const published = (quotas.putEventsRequests.value * quotas.putEventsEntries.value) / orderEvents.value;
  const sentOn = quotas.busInvocations.value / sumOf(orderMessages.value);
  const payments = consumerRate(inputs, 'payments/payment') / (orderMessages.value['payments/payment'] ?? 1);
  return Math.min(published, sentOn, payments);
}

function tablesOf(writeUnits: Readonly<Record<string, number>>, orders: number): TableNeed[] {
  const byTable = Map.groupBy(Object.entries(writeUnits), ([where]) => where.split('/', 1)[0] ?? '');
  return [...byTable]
    .map(([table, entries]) => {
      const parts = Object.fromEntries(entries);
      const perOrder = sumOf(parts);
      const partitions = Math.ceil(((parts[table] ?? 0) * orders) / quotas.partitionWrites.value);
      return { table, parts, perOrder, perSecond: perOrder * orders, partitions };
    })
    .sort((one, other) => other.perSecond - one.perSecond);
}
