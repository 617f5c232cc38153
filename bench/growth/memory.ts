import { loadSale, type SalePlan } from '../lib/load-sale.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import type { Row } from '../lib/section.ts';

const group = 'memory of Redis';

/** Bytes of all keys of a sale, with what Redis keeps around them: every field is looked at. */
async function bytesOf(redis: BenchRedis, plan: Omit<SalePlan, 'saleId'>): Promise<number> {
  await redis.flush();
  const saleId = 'memory';
  await loadSale(redis, { saleId, ...plan });
  let bytes = 0;
  for (const key of await redis.admin.keys(`{${saleId}}:*`)) bytes += Number(await redis.admin.memory('USAGE', key, 'SAMPLES', 0));
  await redis.flush();
  return bytes;
}

/** By differences between sales that differ in one thing. Counts, not measurements: they come out the same each time. */
export async function memoryRows(redis: BenchRedis, count: number): Promise<Row[]> {
  const units = 1_000_000;
  const empty = await bytesOf(redis, { units });
  const small = await bytesOf(redis, { units: 10 });
  const held = await bytesOf(redis, { units, holds: count });
  const limited = await bytesOf(redis, { units, holds: count, perBuyerLimit: 20 });
  const returned = await bytesOf(redis, { units, returned: count });
  const row = (what: string, value: number): Row => ({ group, what, value, unit: 'bytes' });
  return [
    row('a sale of 10 units', small),
    row('a sale of 1,000,000 units', empty),
    row('a unit for sale', (empty - small) / (units - 10)),
    row('a hold', (held - empty) / count),
    row('a buyer in a sale with a limit', (limited - held) / count),
    row('a unit that came back, not next to another', (returned - empty) / count),
  ];
}
