import { connectRedis } from '../../functions/shared/redis.ts';
import { chunkSizes, pagesOf } from '../../functions/stock/load.scripts.ts';
import * as scripts from '../../functions/stock/stock.definitions.ts';
import { type SaleToLoad, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { batchesOf, openResp } from './resp.ts';
import { reserveEncoder } from './stock-calls.ts';

export interface SalePlan {
  readonly saleId: string;
  /** Of each item, 1 to 1,000,000. */
  readonly units: number;
  /** Of the first item, one unit each, by buyers of their own: hold numbers and buyer numbers 1 to `holds` (see stock-calls.ts). */
  readonly holds?: number;
  /** `['tee']` when left out. */
  readonly skus?: readonly string[];
  /** None when left out. */
  readonly perBuyerLimit?: number;
  readonly holdSeconds?: number;
  /** So many units of the first item have been given out and have come back, each a range by itself; none was never given out. */
  readonly returned?: number;
}

const holdsPerPass = 50_000;
const connections = 8;
const pipelined = 32;
const hourMs = 3_600_000;

/** A sale as it comes to be: loaded by the load's scripts, its holds made by the reserve script itself. Throws when any call answers otherwise. */
export async function loadSale(server: { readonly url: string; readonly port: number }, plan: SalePlan): Promise<void> {
  await publish(server.url, plan);
  const { saleId, holds = 0 } = plan;
  if (holds === 0) return;
  const encodeReserve = await reserveEncoder({ saleId, lines: [{ sku: firstSkuOf(plan), quantity: 1 }] });
  const client = await openResp(server.port, connections);
  try {
    for (let from = 1; from <= holds; from += holdsPerPass) {
      const count = Math.min(holdsPerPass, holds - from + 1);
      const requests = Array.from({ length: count }, (_, index) => encodeReserve(from + index, from + index));
      const { unexpected, firstUnexpected } = await client.send(batchesOf(requests, pipelined), newHoldReply);
      if (unexpected > 0) throw new Error(`${unexpected} of ${count} holds were not made: ${firstUnexpected}`);
    }
  } finally {
    client.close();
  }
}

/** How the answer to a reserve begins that got units. */
export const newHoldReply = 'RESERVED|';

const firstSkuOf = ({ skus: [sku = 'tee'] = [] }: SalePlan): string => sku;

async function publish(url: string, plan: SalePlan): Promise<void> {
  const { saleId, units, skus = ['tee'], perBuyerLimit, holdSeconds = 300, returned = 0 } = plan;
  const redis = connectRedis({ url, mode: 'single', commandTimeoutMs: 30_000 });
  try {
    // Whoever runs it by its digest alone finds it.
    await redis.script('LOAD', scripts.reserve.text);
    const stock = stockScripts(redis);
    const nowMs = await stock.nowMs();
    const sale: SaleToLoad = {
      saleId,
      epoch: 1,
      version: 1,
      control: 'open',
      opensAtMs: nowMs - hourMs,
      closesAtMs: nowMs + 24 * hourMs,
      ...(perBuyerLimit === undefined ? {} : { perBuyerLimit }),
      holdSeconds,
      items: skus.map((sku) => ({ sku, total: units })),
    };
    await stock.beginLoad(saleId, 1);
    // Every second serial: neighbours would be one range.
    const ranges = Array.from({ length: returned }, (_, index) => ({ sku: firstSkuOf(plan), first: 2 * index + 1, last: 2 * index + 1 }));
    let chunks = 0;
    for (const page of pagesOf(ranges, chunkSizes.ranges)) await stock.loadFree(saleId, { epoch: 1, chunk: ++chunks, ranges: page });
    const items = skus.map((sku, index) => {
      const isReturned = index === 0 && returned > 0;
      return { sku, kind: 'counted' as const, total: units, next: isReturned ? units + 1 : 1, free: isReturned ? returned : 0 };
    });
    const { outcome } = await stock.publishLoad(sale, { epoch: 1, chunks, items, behind: false });
    if (outcome !== 'LOADED') throw new Error(`the sale is not loaded: ${outcome}`);
  } finally {
    redis.disconnect();
  }
}
