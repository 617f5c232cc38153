import type { Order, Transition } from './order.model.ts';

/** Where units that are not free are counted. */
export type UnitPlace = 'held' | 'sold' | 'retired';

/** What a transition changes in the figures of one item. What one place loses another one gets, or it is for sale again. */
export type UnitsMoved = { readonly sku: string } & Readonly<Record<UnitPlace, number>>;

interface Move {
  /** The order whose lines name the units. */
  readonly of: Order;
  readonly from?: UnitPlace;
  readonly to?: UnitPlace;
}

/** A transition as far as figures go; without `before`, it is an order's first. */
export interface MovingTransition {
  readonly next: Order;
  readonly units?: Transition['units'] | undefined;
  readonly before?: Order;
}

/**
 * The one rule of what a transition means for the figures of its sale: exactly what it does with rows of units. Each transition has its own part, so
 * their sum is the same in whatever order they are counted.
 */
export function unitsMoved(transition: MovingTransition): UnitsMoved[] {
  const move = moveOf(transition);
  if (!move) return [];
  const count = (place: UnitPlace, units: number) => (place === move.to ? units : 0) - (place === move.from ? units : 0);
  const lines = Map.groupBy(move.of.items, ({ sku }) => sku);
  return [...lines].flatMap(([sku, each]) => {
    const units = each.reduce((sum, line) => sum + line.units.length, 0);
    return units === 0 ? [] : [{ sku, held: count('held', units), sold: count('sold', units), retired: count('retired', units) }];
  });
}

function moveOf({ before, next, units }: MovingTransition): Move | undefined {
  // An order that is charged first has no units yet.
  if (!before) return next.status === 'RESERVED' ? { of: next, to: 'held' } : undefined;
  switch (units) {
    case undefined:
      return undefined;
    case 'claim':
      return { of: next, to: next.status === 'CONFIRMED' ? 'sold' : 'held' };
    case 'sell':
      return { of: before, from: 'held', to: 'sold' };
    case 'free':
      return { of: before, from: placeBefore(before) };
    case 'retire':
      return { of: before, from: placeBefore(before), to: 'retired' };
  }
}

/** Units are sold from the order's confirmation on. One that never got any names none. */
const placeBefore = ({ status }: Order): UnitPlace => (status === 'RESERVED' ? 'held' : 'sold');
