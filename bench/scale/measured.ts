import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';

/** One input of the model: its value, what it is of, and the command or file that gives it. */
export interface Entry<Value = number> {
  readonly value: Value;
  readonly unit: string;
  readonly from: string;
}

const count = z.number().nonnegative();
const byName = z.record(z.string(), count);
const entryOf = <Value extends z.ZodType>(value: Value) => z.strictObject({ value, unit: z.string().min(1), from: z.string().min(1) });
const entry = entryOf(count);
const entries = entryOf(byName);

/** What the code and the template say. `npm run scale -- --write` counts it anew. */
const Counted = z.strictObject({
  orderWriteUnits: entries,
  furtherUnitWriteUnits: entries,
  orderReadUnits: entry,
  orderTransactions: entry,
  orderOutboxRows: entry,
  orderEvents: entry,
  orderMessages: entries,
  orderScripts: entries,
  orderStoredBytes: entry,
  orderItemBytes: entry,
  memoryMegabytes: entries,
  messagesPerBatch: entries,
  concurrencyMax: entries,
  streamLanes: entry,
  streamRowsPerBatch: entry,
  stageRequestsPerSecond: entry,
  accessLogBytes: entry,
  dueShards: entry,
  saleShards: entry,
  timeShards: entry,
  pollShards: entry,
  unitBuckets: entry,
  holdSeconds: entry,
  firstRequestReads: entry,
  firstRequestSecrets: entry,
});
export type Counted = z.infer<typeof Counted>;

const Inputs = z.strictObject({
  /** From benchmarks on one machine. */
  measured: z.strictObject({
    reserveServerUs: entry,
    refusalServerUs: entry,
    scriptRefusalServerUs: entry,
    pooledReserveServerUs: entry,
    acknowledgeServerUs: entry,
    confirmServerUs: entry,
    refusalCpuUs: entry,
    orderCpuUs: entry,
    coldStartMs: entry,
    holdBytes: entry,
    connectionsPerShard: entry,
  }),
  /** Nobody has measured these on AWS: they are to be replaced by what a deployed stack's metrics say. */
  assumed: z.strictObject({
    refusalMs: entry,
    orderMs: entry,
    batchMs: entry,
    dispatchMs: entry,
    redisLoadMax: entry,
    functionLogBytes: entry,
    refusalAnswerBytes: entry,
  }),
  counted: Counted,
});
export type Inputs = z.infer<typeof Inputs>;

const file = new URL('../measured.json', import.meta.url);

/** The inputs of the model. Throws when the file is not of its form. */
export async function readInputs(): Promise<Inputs> {
  return Inputs.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** Writes the inputs with these counts, whatever was counted before. */
export async function writeCounted(counted: Counted): Promise<Inputs> {
  const { counted: _, ...others } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const inputs = Inputs.parse({ ...others, counted });
  await writeFile(file, `${JSON.stringify(inputs, undefined, 2)}\n`);
  return inputs;
}
