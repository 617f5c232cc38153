import type { Findings } from './findings.model.ts';
import type { ItemPicture } from './stock-picture.model.ts';
import type { UnitRow } from './unit-audit.model.ts';

/** The rows of an item by unit. */
export type OwnedUnits = ReadonlyMap<string, Pick<UnitRow, 'orderId' | 'state'>>;

/**
 * Holds one counted item's picture in Redis against its rows. While orders are under way both differ by what is under way; once quiet, by nothing.
 * Answers whether what Redis has free, on hold without a row, and under suspicion without a row is exactly what the rows leave.
 */
export function driftOfCounted(
  { sku, total }: { readonly sku: string; readonly total: number },
  owned: OwnedUnits,
  stock: ItemPicture,
  drift: Findings,
): boolean {
  compareTotals(sku, total, stock, drift);
  const named = (unit: string) => `${sku} ${unit}`;
  for (const [unit, row] of owned) driftOfRow(named(unit), unit, row, stock, drift);
  let withoutRow = 0;
  for (const unit of stock.holders.keys()) {
    if (owned.has(unit)) continue;
    withoutRow++;
    driftOfHeld(named(unit), unit, stock, drift);
  }
  for (const unit of stock.suspects()) {
    const row = owned.get(unit);
    if (!row && !stock.holders.has(unit)) withoutRow++;
    drift.add(`${named(unit)} is under suspicion in Redis, and ${row ? `belongs to ${row.orderId}` : 'nobody has it'}`);
  }
  return compareLeft(sku, stock.read.available + withoutRow, total - owned.size, drift);
}

export function compareTotals(sku: string, total: number, { read }: ItemPicture, drift: Findings): void {
  if (read.total !== total) drift.add(`${sku} has a total of ${read.total} in Redis, of ${total} in the sale`);
}

/** Whether what Redis has that nobody's row names, `left`, is what the rows leave over. */
export function compareLeft(sku: string, left: number, leftByRows: number, drift: Findings): boolean {
  if (left < leftByRows) drift.add(`of ${sku}, ${leftByRows - left} units are neither for sale in Redis nor anybody's`);
  if (left > leftByRows) drift.add(`of ${sku}, Redis has ${left - leftByRows} units more to sell than there are`);
  return left === leftByRows;
}

function driftOfRow(name: string, unit: string, row: Pick<UnitRow, 'orderId' | 'state'>, stock: ItemPicture, drift: Findings): void {
  const isFree = stock.isFree(unit);
  const holders = stock.holders.get(unit) ?? [];
  const isRetired = row.state === 'RETIRED';
  const whose = isRetired ? 'is out of sale' : `belongs to ${row.orderId}`;
  // No hold has a unit that is out of sale, not even its own order's, which has ended.
  const others = isRetired ? holders : holders.filter(({ orderId }) => orderId !== row.orderId);
  if (others.length > 0) drift.add(`${name} ${whose}, and Redis holds it for ${others.map(({ orderId }) => orderId).join(', ')}`);
  if (isFree) drift.add(`${name} ${whose}, and is for sale in Redis`);
  const isUnknown = !isRetired && holders.length === 0 && !isFree && !stock.isSuspect(unit);
  if (isUnknown) drift.add(`${name} ${whose}, of which Redis does not know`);
}

/** A hold that has no order yet is no drift: its order is being written, or it will expire. */
function driftOfHeld(name: string, unit: string, stock: ItemPicture, drift: Findings): void {
  const holders = stock.holders.get(unit) ?? [];
  const acknowledged = holders.find(({ hasOrder }) => hasOrder);
  if (holders.length > 1) drift.add(`${name} is held ${holders.length} times in Redis`);
  if (stock.isFree(unit)) drift.add(`${name} is held and for sale in Redis`);
  if (acknowledged) drift.add(`${name} is held in Redis for ${acknowledged.orderId}, which has no row of it`);
}
