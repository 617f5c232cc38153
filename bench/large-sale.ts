import { availableParallelism, cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TableName } from '../functions/shared/tables.ts';
import { tables } from '../functions/shared/tables.ts';
import type { AuditBody } from '../lib/client/contract.ts';
import { type Runtime, startRuntime } from '../lib/local/index.ts';
import { type LargeSale, largeSale, largeSaleRows, type Row } from './large-sale.rows.ts';
import { writeRows } from './seed.ts';

// `npm run bench:large`: how long a large sale's state in Redis takes to come back, and its audit, in the embedded runtime. Exits 1 when
// either is wrong.

const help = `npm run bench:large -- [options]
  --units <count>            units on sale (1000000)
  --sold <count>             of them, sold (200000)
  --units-per-order <count>  1 to 20 (20); each order has a buyer of its own
`;
/** A gateway gives up after 30 s, and a rebuild is over long before this. */
const auditMsMax = 30_000;
const rebuildMsMax = 300_000;

const { values: options } = parseArgs({
  options: {
    units: { type: 'string', default: '1000000' },
    sold: { type: 'string', default: '200000' },
    'units-per-order': { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const machine = () => `${availableParallelism()} cores (${cpus()[0]?.model})`;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const startMs = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startMs };
}

/** The physical name of a table of the runtime: its logical id begins with the construct that made it. */
function nameIn(runtime: Runtime, table: TableName): string {
  const found = Object.entries(runtime.names.tables).find(([logicalId]) => new RegExp(`^Tables${table}[0-9A-F]{8}$`).test(logicalId));
  if (!found) throw new Error(`the runtime has no table ${table}`);
  return found[1];
}

async function seed(runtime: Runtime, plan: LargeSale): Promise<number> {
  const names = new Map((Object.keys(tables) as TableName[]).map((table) => [table, nameIn(runtime, table)]));
  function* rows(): Generator<Row> {
    yield* largeSaleRows(plan);
    // Last: the sweeper has a sale that it finds rebuilt, from the rows that are there by then.
    yield { table: 'sales', item: { ...largeSale(plan), stockLoaded: true } };
  }
  return writeRows(runtime.dynamodbEndpoint, (table) => names.get(table) ?? table, rows());
}

async function operatorToken(url: string): Promise<string> {
  const answer = await fetch(`${url}/local/token`, { method: 'POST', body: JSON.stringify({ sub: 'bench', scope: 'sale:operate' }) });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Asks for the sale until it is there: whoever asks first has its state in Redis rebuilt. */
async function readUntilReady(url: string, saleId: string): Promise<void> {
  const deadlineMs = performance.now() + rebuildMsMax;
  while (performance.now() < deadlineMs) {
    const answer = await fetch(`${url}/v1/sales/${saleId}`);
    await answer.arrayBuffer();
    if (answer.status === 200) return;
    if (answer.status !== 503) throw new Error(`GET /v1/sales/${saleId} answered ${answer.status}`);
    await pause(100);
  }
  throw new Error(`the sale was not rebuilt within ${seconds(rebuildMsMax)}`);
}

async function audit(url: string, saleId: string): Promise<AuditBody> {
  const answer = await fetch(`${url}/v1/sales/${saleId}/audit`, { headers: { authorization: `Bearer ${await operatorToken(url)}` } });
  if (!answer.ok) throw new Error(`the audit answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as AuditBody;
}

/** What is not as it was seeded, in words. */
function faultsOf({ units, sold }: LargeSale, audited: AuditBody): string[] {
  const [item] = audited.items;
  const expected = {
    total: [item?.total, units],
    sold: [item?.sold, sold],
    available: [item?.available, units - sold],
    conserved: [item?.conserved, true],
    balanced: [audited.money.balanced, true],
    'redis.agrees': [audited.redis.agrees, true],
  };
  return Object.entries(expected).flatMap(([what, [is, wanted]]) => (is === wanted ? [] : [`${what} is ${is}, not ${wanted}`]));
}

async function run(plan: LargeSale): Promise<boolean> {
  const runtime = await startRuntime({
    port: 0,
    out: say,
    onLog: (source, line) => line.startsWith('{"level":"info"') || say(`[${source}] ${line}`),
  });
  try {
    const { saleId, units, sold, unitsPerOrder } = plan;
    const seeded = await timed(() => seed(runtime, plan));
    say(`Seeded ${seeded.result} rows in ${seconds(seeded.ms)}.`);
    const orders = Math.ceil(sold / unitsPerOrder);
    say(`A sale of ${units} units, ${sold} of them sold in ${orders} orders to as many buyers, on ${machine()}:`);
    const rebuilt = await timed(() => readUntilReady(runtime.url, saleId));
    say(`  rebuild of its state in Redis  ${seconds(rebuilt.ms)}`);
    const audited = await timed(() => audit(runtime.url, saleId));
    say(`  audit                          ${seconds(audited.ms)}`);
    const faults = faultsOf(plan, audited.result);
    if (audited.ms > auditMsMax) faults.push(`the audit took longer than a gateway's ${seconds(auditMsMax)}`);
    for (const fault of faults) say(`WRONG: ${fault}`);
    for (const drift of audited.result.redis.drift.slice(0, 5)) say(`  drift: ${drift}`);
    return faults.length === 0;
  } finally {
    await runtime.stop();
  }
}

const [units, sold, unitsPerOrder] = [options.units, options.sold, options['units-per-order']].map(Number) as [number, number, number];
const isSound = [units, sold, unitsPerOrder].every((count) => Number.isInteger(count) && count > 0) && sold <= units && unitsPerOrder <= 20;
if (options.help || !isSound) {
  say(help);
  process.exit(options.help ? 0 : 2);
}
try {
  const isRight = await run({ saleId: 'large-sale', units, sold, unitsPerOrder, nowMs: Date.now() });
  process.exit(isRight ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
