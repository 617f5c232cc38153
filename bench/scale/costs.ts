import type { Inputs } from './measured.ts';
import { type Load, needsOf, sumOf, writeUnitsOf } from './model.ts';
import { dollars } from './sources.ts';

/** One line of a bill, in dollars for a million. */
export interface CostLine {
  readonly what: string;
  /** In a crowd, where batches are full. */
  readonly crowd: number;
  /** One at a time, where each message is a batch of its own. */
  readonly single: number;
  readonly because: string;
}

const megabytesPerGigabyte = 1_024;
const bytesPerGigabyte = 1e9;
const perMillion = 1_000_000;
/** SQS counts an action on up to ten messages as one request. */
const messagesPerQueueRequest = 10;

const both = (value: number) => ({ crowd: value, single: value });
const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** What calls of a function cost besides their time, for a million of them. */
function callsCost(calls: number, logBytes: number) {
  return {
    requests: calls * dollars.lambdaRequest.value,
    traces: calls * dollars.tracedShare.value * dollars.trace.value,
    logs: (calls * perMillion * logBytes * dollars.logGigabyte.value) / bytesPerGigabyte,
  };
}

const timeCost = (calls: number, ms: number, megabytes: number) =>
  calls * perMillion * (ms / 1_000) * (megabytes / megabytesPerGigabyte) * dollars.lambdaGigabyteSecond.value;

/** A million attempts that are refused. */
export function attemptCosts({ assumed, counted }: Inputs): CostLine[] {
  const megabytes = counted.memoryMegabytes.value['orders/place'] ?? 0;
  const { requests, traces, logs } = callsCost(1, assumed.functionLogBytes.value);
  const accessLogs = (perMillion * counted.accessLogBytes.value * dollars.logGigabyte.value) / bytesPerGigabyte;
  const answers = (perMillion * assumed.refusalAnswerBytes.value * dollars.transferGigabyte.value) / bytesPerGigabyte;
  return [
    { what: 'HTTP API', ...both(dollars.httpRequest.value), because: 'one request' },
    { what: 'Lambda, calls', ...both(requests), because: 'one call' },
    {
      what: 'Lambda, time',
      ...both(timeCost(1, assumed.refusalMs.value, megabytes)),
      because: `${assumed.refusalMs.value} ms of ${megabytes} MB`,
    },
    { what: 'Access log', ...both(accessLogs), because: `a line of ${counted.accessLogBytes.value} bytes` },
    { what: 'Function log', ...both(logs), because: `Lambda’s own lines, ${assumed.functionLogBytes.value} bytes` },
    { what: 'X-Ray', ...both(traces), because: `${dollars.tracedShare.value * 100} % of calls are traced` },
    { what: 'Answers to the internet', ...both(answers), because: `${assumed.refusalAnswerBytes.value} bytes` },
  ];
}

/** A million orders, each placed, paid by balance and fulfilled. */
export function orderCosts(inputs: Inputs, { unitsPerOrder }: Pick<Load, 'unitsPerOrder'>): CostLine[] {
  const { assumed, counted } = inputs;
  const [writes, writesInCrowd] = (['single', 'crowd'] as const).map((pace) => sumOf(writeUnitsOf(inputs, unitsPerOrder, pace))) as [
    number,
    number,
  ];
  const reads = counted.orderReadUnits.value;
  const messages = sumOf(counted.orderMessages.value);
  const queueRequests = { crowd: messages * (1 + 2 / messagesPerQueueRequest), single: messages * 3 };
  const placing = attemptCosts(inputs).filter(({ what }) => what !== 'Lambda, time');
  const placed = placing.reduce((sum, { crowd }) => sum + crowd, 0);
  const placeMegabytes = counted.memoryMegabytes.value['orders/place'] ?? 0;
  const later = { crowd: laterCalls(inputs, true), single: laterCalls(inputs, false) };
  const storage = (counted.orderStoredBytes.value * perMillion * dollars.tableGigabyteMonth.value) / bytesPerGigabyte;
  return [
    {
      what: 'DynamoDB, writes',
      crowd: writesInCrowd * dollars.writeUnit.value,
      single: writes * dollars.writeUnit.value,
      because: `${number(writesInCrowd)} write units (${number(writes)} one at a time), ${counted.orderTransactions.value} transactions`,
    },
    { what: 'DynamoDB, reads', ...both(reads * dollars.readUnit.value), because: `${number(reads)} read units` },
    { what: 'EventBridge', ...both(counted.orderEvents.value * dollars.event.value), because: `${counted.orderEvents.value} events` },
    {
      what: 'SQS',
      crowd: queueRequests.crowd * dollars.queueRequest.value,
      single: queueRequests.single * dollars.queueRequest.value,
      because: `${messages} messages, ${number(queueRequests.crowd)} requests (${queueRequests.single} one at a time)`,
    },
    { what: 'Placing it: API, call, logs', ...both(placed), because: 'as an attempt, but for its time' },
    {
      what: 'Placing it: time',
      ...both(timeCost(1, assumed.orderMs.value, placeMegabytes)),
      because: `${assumed.orderMs.value} ms of ${placeMegabytes} MB`,
    },
    {
      what: 'Dispatcher and consumers: calls, logs, traces',
      crowd: later.crowd.besides,
      single: later.single.besides,
      because: `${number(later.crowd.calls)} calls (${number(later.single.calls)} one at a time)`,
    },
    {
      what: 'Dispatcher and consumers: time',
      crowd: later.crowd.time,
      single: later.single.time,
      because: `${assumed.batchMs.value} ms a batch, ${assumed.dispatchMs.value} ms a full batch of rows`,
    },
    { what: 'DynamoDB, the first month’s storage', ...both(storage), because: `${number(counted.orderStoredBytes.value)} bytes an order` },
  ];
}

/** What comes after an order is placed: calls for an order, and their cost for a million of them. */
function laterCalls({ assumed, counted }: Inputs, isCrowd: boolean): { calls: number; besides: number; time: number } {
  const rows = counted.orderOutboxRows.value;
  const memory = counted.memoryMegabytes.value;
  const dispatches = isCrowd ? rows / counted.streamRowsPerBatch.value : rows;
  const dispatchMs = isCrowd ? assumed.dispatchMs.value : assumed.batchMs.value;
  const consumers = Object.entries(counted.orderMessages.value).map(([name, perOrder]) => {
    const calls = isCrowd ? perOrder / (counted.messagesPerBatch.value[name] ?? 1) : perOrder;
    return { calls, time: timeCost(calls, assumed.batchMs.value, memory[name] ?? 0) };
  });
  const calls = dispatches + consumers.reduce((sum, each) => sum + each.calls, 0);
  const { requests, traces, logs } = callsCost(calls, assumed.functionLogBytes.value);
  const time = timeCost(dispatches, dispatchMs, memory['messaging/dispatch'] ?? 0) + consumers.reduce((sum, each) => sum + each.time, 0);
  return { calls, besides: requests + traces + logs, time };
}

export const totalOf = (lines: readonly CostLine[]): { crowd: number; single: number } => ({
  crowd: lines.reduce((sum, { crowd }) => sum + crowd, 0),
  single: lines.reduce((sum, { single }) => sum + single, 0),
});

/** What stands ready for the load, whether anybody comes or not. */
export interface ReadyCost {
  readonly what: string;
  readonly dollars: number;
  readonly per: 'hour' | 'once';
  readonly because: string;
}

export function readyCosts(inputs: Inputs, load: Load): ReadyCost[] {
  const needs = needsOf(inputs, load);
  const gigabytes = (inputs.counted.memoryMegabytes.value['orders/place'] ?? 0) / megabytesPerGigabyte;
  const provisioned = needs.environments * gigabytes * 3_600 * dollars.provisionedGigabyteSecond.value;
  const nodes = needs.redisShards * 2;
  return [
    {
      what: 'Lambda, provisioned concurrency',
      dollars: provisioned,
      per: 'hour',
      because: `${number(needs.environments)} environments of ${number(gigabytes)} GB`,
    },
    {
      what: 'Redis',
      dollars: nodes * dollars.cacheNodeHour.value,
      per: 'hour',
      because: `${needs.redisShards} shards with a replica each, cache.m7g.2xlarge`,
    },
    {
      what: 'DynamoDB, warm throughput',
      dollars: needs.warmWriteUnits * dollars.warmWriteUnit.value,
      per: 'once',
      because: `${number(needs.warmWriteUnits)} write units/s above what new tables and indexes have; it can’t be lowered again`,
    },
  ];
}
