import { marshall } from '@aws-sdk/util-dynamodb';
import { jsonClient } from '../../lib/local/aws-json.ts';
import { largeSaleRows } from '../large-sale.rows.ts';
import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Row } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { cpuMicrosOf, databasesOf } from '../system/cpu.ts';
import type { Remote } from '../system/remote.ts';
import { type Stage, startStage } from '../system/stage.ts';
import type { WriteCost, Writes } from '../system/write-cost.process.ts';
import { startWriter } from '../system/write-cost.ts';

/** Longer than this no table is filled: what it has by then is the last size. */
const seedMsMax = 600_000;
const rowsPerCall = 25;
const lanes = 8;

interface Server {
  readonly stage: Stage;
  readonly writer: Remote;
  readonly pid: number | undefined;
}

interface Claimed extends WriteCost {
  /** Of the database server, where that can be told. */
  readonly serverMicros: number;
}

/** What the claim of an order costs by the number of orders that are there, beside the same on a server whose table was left empty. */
export async function ordersRows(
  context: BenchContext,
  assemblyDirectory: string,
  sizes: readonly number[],
): Promise<{ rows: Row[]; notes: string[] }> {
  const empty = await startServer(context, assemblyDirectory);
  const grown = await startServer(context, assemblyDirectory);
  const count = context.quick ? 10 : 100;
  let from = 0;
  const claim = async ({ writer, pid }: Server): Promise<Claimed> => {
    const before = pid === undefined ? undefined : cpuMicrosOf(pid);
    const cost = await writer.call<WriteCost>('claims', { from, count, inFlight: 1 } satisfies Writes);
    from += count;
    const after = pid === undefined ? undefined : cpuMicrosOf(pid);
    return { ...cost, serverMicros: before === undefined || after === undefined ? Number.NaN : (after - before) / count };
  };
  for (const server of [empty, grown]) await claim(server);

  const rows: Row[] = [];
  const notes: string[] = [];
  let filled = 0;
  for (const size of sizes) {
    const seeded = await seed(context, grown.stage, filled, size);
    filled += seeded.rows;
    context.log(`${filled} orders are there (${Math.round(seeded.rowsPerSecond)} rows/s)`);
    const results = await interleave(context, [empty, grown], claim);
    rows.push(...rowsOf(filled, results.get(empty) ?? [], results.get(grown) ?? []));
    if (filled >= size) continue;
    notes.push(`The table of orders was to get ${size} rows; after ${seedMsMax / 1_000} s it had ${filled}.`);
    break;
  }
  return { rows, notes };
}

async function startServer(context: BenchContext, assemblyDirectory: string): Promise<Server> {
  const before = databasesOf(process.pid);
  const stage = await startStage(context, assemblyDirectory);
  const [pid] = databasesOf(process.pid).filter((each) => !before.includes(each));
  return { stage, writer: await startWriter(context, stage), pid };
}

const group = 'an order’s claim by orders that are there';

function rowsOf(size: number, empty: readonly Claimed[], grown: readonly Claimed[]): Row[] {
  const figures = [
    ['', (each: Claimed) => each.wallMicros],
    [', CPU of the database', (each: Claimed) => each.serverMicros],
  ] as const;
  return figures.flatMap(([what, figure]) => {
    const [base, values] = [empty.map(figure), grown.map(figure)];
    if (![...base, ...values].every(Number.isFinite)) return [];
    const [none, some, ratio] = [summaryOf(base), summaryOf(values), ratioOf(values, base)];
    const beside = `an empty table${what}, beside ${size.toLocaleString('en-US')}`;
    return [
      { group, what: beside, value: none.median, unit: 'µs', spread: none.spread },
      {
        ...{ group, what: `${size.toLocaleString('en-US')} orders${what}`, value: some.median, unit: 'µs', spread: some.spread },
        ratioTo: { what: beside, value: ratio.median, spread: ratio.spread },
      },
    ];
  });
}

/** An order that is over, as it is stored; each row is a copy of it with ids of its own. */
function orderTemplate() {
  const plan = { saleId: 'growth', units: 1, sold: 1, unitsPerOrder: 1, nowMs: Date.now() };
  for (const { table, item } of largeSaleRows(plan)) if (table === 'orders') return marshall(item, { removeUndefinedValues: true });
  throw new Error('a sale of one unit has no order');
}

async function seed({ signal }: BenchContext, stage: Stage, from: number, to: number): Promise<{ rows: number; rowsPerSecond: number }> {
  const client = jsonClient(stage.databaseEndpoint, 'DynamoDB_20120810');
  const [TableName, template] = [stage.tableOf('orders'), orderTemplate()];
  const rowOf = (number: number) => {
    const id = `grown${String(number).padStart(17, '0')}`;
    const keys = { orderId: `ord_${id}`, holdId: id, listKey: `${1e13 + number}#ord_${id}`, saleShard: `growth#${number % 16}` };
    return { ...template, ...Object.fromEntries(Object.entries(keys).map(([name, S]) => [name, { S }])) };
  };
  const startMs = performance.now();
  let [next, rows] = [from, 0];
  const lane = async () => {
    while (next < to && performance.now() - startMs < seedMsMax) {
      signal.throwIfAborted();
      const first = next;
      next = Math.min(to, next + rowsPerCall);
      const puts = Array.from({ length: next - first }, (_, index) => ({ PutRequest: { Item: rowOf(first + index) } }));
      const count = puts.length;
      const { UnprocessedItems = {} } = (await client.call('BatchWriteItem', { RequestItems: { [TableName]: puts } })) as {
        UnprocessedItems?: object;
      };
      if (Object.keys(UnprocessedItems).length > 0) throw new Error('the database did not take all rows');
      rows += count;
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    client.close();
  }
  return { rows, rowsPerSecond: (1_000 * rows) / (performance.now() - startMs) };
}
