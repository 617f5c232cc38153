import { hasEnded, type Order, retiresUnits } from '../orders/order.model.ts';
import { hasNothingInStock, holdOf } from '../orders/placement.model.ts';
import type { OrderSeen, UnitPlace } from '../stock/mend.ports.ts';
import type { LineUnits } from '../stock/stock.model.ts';
import { type Drift, type DriftKind, unitNames } from './drift.model.ts';

/**
 * What Redis has wrong of an order; undefined where it is right, and where it is not a reconciliation's to judge: an order that waits for units,
 * and one that has ended and whose stock is still to be released, which is the sweeper's debt. `seen` is of the hold that the order names, and of its units.
 */
export function driftOfOrder(order: Order, seen: OrderSeen): Drift | undefined {
  if (hasNothingInStock(order)) return undefined;
  if (!hasEnded(order)) return driftOfLive(order, seen);
  if (order.stock !== 'released') return undefined;
  return retiresUnits(order) ? driftOfRetired(order, seen) : driftOfEnded(order, seen);
}

function drift(order: Order, kind: DriftKind, detail: string): Drift {
  return { kind, subject: order.orderId, detail, about: 'order', orderId: order.orderId, holdId: order.holdId };
}

function driftOfLive(order: Order, { hold, slots, places }: OrderSeen): Drift | undefined {
  const wrong = (detail: string) => drift(order, 'order-not-followed', detail);
  if (!hold) return wrong('Redis does not know its hold');
  if (hold.state === 'ended') return wrong('Redis has its hold as ended');
  const wanted = holdOf(order);
  const [has, shouldHave] = [unitNames(hold.lines).join(', '), unitNames(wanted.lines).join(', ')];
  if (has !== shouldHave) return wrong(`its hold has ${has || 'nothing'}, and not ${shouldHave}`);
  const elsewhere = places.flatMap(({ line, places: of }) => misplaced(line, of, (place) => isHoldersPlace(place, order.holdId)));
  if (elsewhere.length > 0) return wrong(elsewhere.join(', '));
  const unused = order.slots.filter((slot) => !slots.includes(slot) || !hold.slots.includes(slot));
  return unused.length > 0 ? drift(order, 'allowance-too-low', `slots ${unused.join(', ')} of ${order.buyerId} are not used`) : undefined;
}

/** A counted unit of a hold is in no pool; a seat's field names the hold. */
const isHoldersPlace = (place: UnitPlace, holdId: string): boolean =>
  typeof place === 'string' ? place === 'elsewhere' : place.owner === holdId;

const retiredSeat = '-';

function driftOfRetired(order: Order, { hold, slots, places }: OrderSeen): Drift | undefined {
  const isGone = (place: UnitPlace) => (typeof place === 'string' ? place === 'elsewhere' : place.owner === retiredSeat);
  const there = places.flatMap(({ line, places: of }) => misplaced(line, of, isGone));
  if (there.length > 0) return drift(order, 'order-not-followed', there.join(', '));
  if (hold?.state !== 'ended') return hold && !hasUnitsStill(hold.state) ? undefined : drift(order, 'mark-missing', 'it is out of sale');
  const unused = order.slots.filter((slot) => !slots.includes(slot));
  return unused.length > 0 ? drift(order, 'allowance-too-low', `slots ${unused.join(', ')} of ${order.buyerId} are not used`) : undefined;
}

const hasUnitsStill = (state: string) => state === 'acknowledged' || state === 'confirmed';

function driftOfEnded(order: Order, { hold }: OrderSeen): Drift | undefined {
  if (!hold) return drift(order, 'mark-missing', `it is ${order.status}`);
  // One that no order has is decided about by the sweeper, who finds this order.
  if (!hasUnitsStill(hold.state)) return undefined;
  const units = unitNames(hold.lines).join(', ');
  return { kind: 'hold-of-ended-order', subject: hold.holdId, detail: `${order.status}, and its hold has ${units}`, about: 'hold', hold };
}

function misplaced({ sku, units }: LineUnits, places: readonly UnitPlace[], isRight: (place: UnitPlace) => boolean): string[] {
  return units.flatMap((unit, index) => {
    const place = places[index] ?? 'unknown';
    return isRight(place) ? [] : [`${sku} ${unit} is ${typeof place === 'string' ? placeNames[place] : ownedBy(place.owner)}`];
  });
}

const placeNames: Readonly<Record<Extract<UnitPlace, string>, string>> = {
  free: 'for sale',
  ahead: 'yet to be given out',
  suspect: 'under suspicion',
  elsewhere: 'not for sale',
  unknown: 'unknown',
};
const ownedBy = (owner: string) => (owner === '' ? 'for sale' : `with ${owner}`);
