import { randomUUID } from 'node:crypto';
import type { OwnedUnit } from '../../functions/stock/load.scripts.ts';
import type { SaleToLoad } from '../../functions/stock/stock.scripts.ts';
import type { Bench } from './stock.harness.ts';

export const aRow = (unit: number | string, changes: Partial<OwnedUnit> = {}): OwnedUnit => ({
  ...{ sku: 'tee', unit: String(unit), seated: typeof unit === 'string', state: 'HELD', holdId: 'hold-1', buyerId: 'ada' },
  ...{ atMs: 1_700_000_000_000, ...changes },
});

/** Sales that are not loaded yet, and their loads. */
export function loadsOn(bench: Bench) {
  const aSale = async (changes: Partial<SaleToLoad> = {}): Promise<SaleToLoad> => {
    const nowMs = await bench.stock.nowMs();
    return {
      ...{ saleId: `sale-${randomUUID()}`, epoch: 2, version: 1, control: 'open', holdSeconds: 300 },
      ...{ opensAtMs: nowMs - 60_000, closesAtMs: nowMs + 60_000, items: [{ sku: 'tee', total: 10 }] },
      ...changes,
    };
  };

  /** One load, step by step, as a rebuild does it. */
  function aLoad(sale: SaleToLoad, epoch = sale.epoch) {
    const { saleId, holdSeconds } = sale;
    let chunks = 0;
    return {
      begin: () => bench.stock.beginLoad(saleId, epoch),
      units: (rows: OwnedUnit[], chunk = ++chunks) => bench.stock.loadUnits(saleId, { epoch, chunk, rows, holdSeconds }),
      seats: (sku: string, seats: string[], chunk = ++chunks) => bench.stock.loadSeats(saleId, { epoch, chunk, sku, seats }),
      free: (sku: string, ...ranges: [number, number][]) =>
        bench.stock.loadFree(saleId, { epoch, chunk: ++chunks, ranges: ranges.map(([first, last]) => ({ sku, first, last })) }),
      publish: (items: { sku: string; next?: number; free?: number }[] = [], changes: Partial<SaleToLoad> = {}, sent = chunks) => {
        const known = new Map(items.map((item) => [item.sku, item]));
        return bench.stock.publishLoad(
          { ...sale, ...changes },
          {
            ...{ epoch, chunks: sent, behind: true },
            items: sale.items.map(({ sku, total, seated }) => {
              if (seated) return { sku, kind: 'seated', total };
              return { sku, kind: 'counted', total, next: known.get(sku)?.next ?? 1, free: known.get(sku)?.free ?? 0 };
            }),
          },
        );
      },
    };
  }

  return { aSale, aLoad };
}
