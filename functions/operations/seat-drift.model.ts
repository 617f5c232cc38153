import { orderIdOf } from '../shared/ids.ts';
import type { SeatPlace } from '../stock/stock.model.ts';
import { compareLeft, compareTotals, type OwnedUnits } from './drift.model.ts';
import type { Findings } from './findings.model.ts';
import type { ItemPicture } from './stock-picture.model.ts';
import type { UnitRow } from './unit-audit.model.ts';

/**
 * Holds one seated item's picture in Redis against its rows and the list of its seats. While orders are under way they differ by what is under
 * way; once quiet, by nothing. Answers whether what is left by Redis is what is left by the rows.
 */
export function driftOfSeated(
  { sku, total }: { readonly sku: string; readonly total: number },
  seats: readonly string[],
  owned: OwnedUnits,
  stock: ItemPicture,
  drift: Findings,
): boolean {
  compareTotals(sku, total, stock, drift);
  const listed = new Set(seats);
  for (const seat of listed) if (!stock.places.has(seat)) drift.add(`${sku} ${seat} is not in Redis`);
  const left = { free: 0, taken: 0 };
  for (const [seat, place] of stock.places) {
    const row = owned.get(seat);
    const name = `${sku} ${seat}`;
    if (!listed.has(seat)) drift.add(`${name} is in Redis, and was never put on sale`);
    if (place.state === 'free') left.free++;
    else if (!row && place.state !== 'retired') left.taken++;
    if (row) driftOfRow(name, row, place, drift);
    else driftOfRowless(name, place, stock, drift);
    if (place.state === 'held') driftOfHold(name, place, stock, drift);
  }
  for (const [seat, holders] of stock.holders) {
    const place = stock.places.get(seat);
    const without = holders.filter(({ orderId }) => orderId !== holderOf(place));
    for (const { orderId } of without) drift.add(`${sku} ${seat} is named by the hold of ${orderId} in Redis, which does not have it`);
  }
  const { available } = stock.read;
  if (available !== left.free) drift.add(`of ${sku}, Redis counts ${available} free seats and has ${left.free}`);
  return compareLeft(sku, available + left.taken, total - owned.size, drift) && available === left.free;
}

const holderOf = (place: SeatPlace | undefined): string | undefined => (place?.state === 'held' ? orderIdOf(place.holdId) : undefined);

function driftOfRow(name: string, row: Pick<UnitRow, 'orderId' | 'state'>, place: SeatPlace, drift: Findings): void {
  const isRetired = row.state === 'RETIRED';
  const agrees = isRetired ? place.state === 'retired' : holderOf(place) === row.orderId;
  if (agrees) return;
  const whose = isRetired ? 'is out of sale' : `belongs to ${row.orderId}`;
  const inRedis = {
    free: 'is for sale in Redis',
    suspect: 'is under suspicion in Redis',
    retired: 'is out of sale in Redis',
    held: `Redis holds it for ${holderOf(place)}`,
  };
  drift.add(`${name} ${whose}, and ${inRedis[place.state]}`);
}

function driftOfRowless(name: string, place: SeatPlace, stock: ItemPicture, drift: Findings): void {
  if (place.state === 'suspect') drift.add(`${name} is under suspicion in Redis, and nobody has it`);
  if (place.state === 'retired') drift.add(`${name} is out of sale in Redis, and has no row that says so`);
  const acknowledged = stock.holders.get(place.seat)?.find(({ orderId, hasOrder }) => hasOrder && orderId === holderOf(place));
  // A hold that has no order yet is no drift: its order is being written, or it will expire.
  if (acknowledged) drift.add(`${name} is held in Redis for ${acknowledged.orderId}, which has no row of it`);
}

/** A seat that is held names a hold that lives and names it too. */
function driftOfHold(name: string, place: SeatPlace, stock: ItemPicture, drift: Findings): void {
  const isNamed = stock.holders.get(place.seat)?.some(({ orderId }) => orderId === holderOf(place));
  if (!isNamed) drift.add(`${name} is held in Redis for ${holderOf(place)}, whose hold does not name it`);
}
