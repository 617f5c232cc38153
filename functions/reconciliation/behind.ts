import type { MendStock } from '../stock/mend.ports.ts';
import { type Sharded, stockIdsOf } from '../stock/shards.model.ts';
import { partsOf, type SaleLoad } from './sale-load.ts';

/** Puts or takes off the mark `behind` on all of a sale. -> whether it was so everywhere */
export async function markBehind(
  load: SaleLoad,
  verb: 'set' | 'begin' | 'end',
  token: string,
  { behind }: Pick<MendStock, 'behind'>,
): Promise<boolean> {
  let isDone = true;
  for (const part of partsOf(load)) isDone = (await behind(part, verb, token)).outcome === 'DONE' && isDone;
  return isDone;
}

/** Whether any of a sale's stocks may have forgotten orders, as far as it knows itself. */
export async function isBehindAnywhere(sale: Sharded, { isBehind }: Pick<MendStock, 'isBehind'>): Promise<boolean> {
  for (const stockId of stockIdsOf(sale)) if (await isBehind(stockId)) return true;
  return false;
}
