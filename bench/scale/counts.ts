import { dueShardNames, saleShardNames } from '../../functions/orders/order.writes.ts';
import { timeShardNames } from '../../functions/orders/order-view.model.ts';
import { knownSales } from '../../functions/sales/known-sales.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { NewSale } from '../../functions/sales/sale.schemas.ts';
import { pollShardNames } from '../../functions/shared/outbox.ts';
import { unitBuckets } from '../../functions/stock/stock.model.ts';
import type { Counted, Entry } from './measured.ts';
import { orderLife } from './order-life.ts';
import { templateFacts } from './template.ts';

const life = 'bench/scale/order-life.ts: the use cases of an order, run on a DynamoDB that counts';
const template = 'bench/scale/template.ts: the synthesised template';

/** Everything that is counted and not measured: from the code that ships and the template that deploys. */
export async function countAll(): Promise<Counted> {
  const facts = templateFacts();
  const [one, two] = await Promise.all([1, 2].map((units) => orderLife(units, facts.deployment)));
  if (!one || !two) throw new Error('there are two orders');
  const more = Object.keys(two.writeUnits).flatMap((where): [string, number][] => {
    const difference = (two.writeUnits[where] ?? 0) - (one.writeUnits[where] ?? 0);
    return difference === 0 ? [] : [[where, difference]];
  });
  const entry = <Value>(value: Value, unit: string, from: string): Entry<Value> => ({ value, unit, from });
  return {
    orderWriteUnits: entry(one.writeUnits, 'write units per order of one unit, by table and table/index', life),
    furtherUnitWriteUnits: entry(Object.fromEntries(more), 'write units for each further unit of an order', life),
    orderReadUnits: entry(one.readUnits, 'read units per order', life),
    orderTransactions: entry(one.transactions, 'transactions per order', life),
    orderOutboxRows: entry(one.outboxRows, 'outbox rows per order', life),
    orderEvents: entry(one.events, 'events per order', life),
    orderMessages: entry(one.messages, 'messages per order, by consumer', `${life}, and the template's rules`),
    orderScripts: entry(one.scripts, 'calls per order, by script', life),
    orderStoredBytes: entry(one.storedBytes, 'bytes that an order leaves in all tables', life),
    orderItemBytes: entry(one.orderItemBytes, 'bytes of the order item at its end', life),
    memoryMegabytes: entry(facts.memoryMegabytes, 'MB, by function', template),
    messagesPerBatch: entry(facts.messagesPerBatch, 'messages, by consumer', template),
    concurrencyMax: entry(facts.concurrencyMax, 'environments at most, by consumer', template),
    streamLanes: entry(facts.streamLanes, 'dispatchers at once on a shard of the stream', template),
    streamRowsPerBatch: entry(facts.streamRowsPerBatch, 'outbox rows a batch', template),
    stageRequestsPerSecond: entry(facts.stageRequestsPerSecond, "requests/s, the API stage's own throttle", template),
    accessLogBytes: entry(facts.accessLogBytes, 'bytes of a line of the access log', template),
    dueShards: entry(dueShardNames.length, 'partitions of the due index', 'functions/orders/order.writes.ts'),
    saleShards: entry(
      saleShardNames('sale').length,
      "partitions of one sale's orders in the indexes by sale",
      'functions/orders/order.writes.ts',
    ),
    timeShards: entry(timeShardNames.length, 'partitions of the index of all orders by time', 'functions/orders/order-view.model.ts'),
    pollShards: entry(pollShardNames.length, 'partitions of the index of unpublished rows', 'functions/shared/outbox.ts'),
    unitBuckets: entry(unitBuckets('sale', 'sku').length, "partitions of one item's units", 'functions/stock/stock.model.ts'),
    holdSeconds: entry(defaultHoldSeconds(), 'seconds that a hold waits for its payment, when left out', 'functions/sales/sale.schemas.ts'),
    firstRequestReads: entry(
      await saleReads(),
      "reads of the sale's row by an environment, at its first request for the sale",
      'functions/sales/known-sales.ts',
    ),
    firstRequestSecrets: entry(facts.placeSecrets, 'secrets that an environment reads at its first request', template),
  };
}

async function saleReads(): Promise<number> {
  let reads = 0;
  const sales = knownSales(async () => {
    reads++;
    return {} as Sale;
  });
  for (const _ of [1, 2, 3]) await sales.known('sale');
  return reads;
}

function defaultHoldSeconds(): number {
  const window = { opensAt: '2030-01-01T10:00:00Z', closesAt: '2030-01-01T11:00:00Z' };
  return NewSale.parse({ name: 'Sale', ...window, items: [{ sku: 'tee', units: 1 }] }).holdSeconds;
}
