import type { FaultKind } from './fault-kinds.ts';
import type { Action, Deed, Line, PlannedFault, PlannedItem } from './plan.ts';
import type { Random } from './random.ts';

/** A plan as it is drawn. */
export interface Draft {
  readonly random: Random;
  readonly activeMs: number;
  readonly holdMs: number;
  readonly buyers: readonly string[];
  readonly items: readonly PlannedItem[];
  readonly actions: Action[];
  readonly faults: PlannedFault[];
}

export const add = ({ actions }: Draft, atMs: number, deed: Deed): string => {
  const id = `a${actions.length + 1}`;
  actions.push({ id, atMs: Math.round(atMs), ...deed });
  return id;
};

export function lineOf({ random, items }: Draft): Line {
  const item = random.pick(items);
  if (!item.seats) return { sku: item.sku, quantity: random.chance(0.6) ? 1 : random.between(1, 4) };
  return { sku: item.sku, seats: random.shuffle(item.seats).slice(0, random.between(1, Math.min(3, item.seats.length))) };
}

/** Lines of one order: sometimes of two items, sometimes of the same one twice. */
export function linesOf(draft: Draft): Line[] {
  const { random } = draft;
  const first = lineOf(draft);
  if (random.chance(0.12) && first.quantity !== undefined) return [first, { sku: first.sku, quantity: random.between(1, 2) }];
  if (random.chance(0.2)) {
    const second = lineOf(draft);
    if (second.sku !== first.sku) return [first, second];
  }
  return [first];
}

export const moment = ({ random, activeMs }: Draft): number => 1_000 + random.next() * activeMs;

export function placeOf(draft: Draft, more: Partial<Extract<Deed, { do: 'place' }>> = {}): Extract<Deed, { do: 'place' }> {
  const { random, buyers } = draft;
  return {
    do: 'place',
    buyer: random.pick(buyers),
    lines: linesOf(draft),
    method: random.chance(0.6) ? 'balance' : 'external',
    racers: random.chance(0.12) ? 2 : 1,
    attemptsMax: random.pick([1, 3, 4]),
    ...(random.chance(0.1) ? { otherLines: linesOf(draft) } : {}),
    ...more,
  };
}

export function restockOf(draft: Draft): Deed {
  const { random } = draft;
  const item = random.pick(draft.items);
  const line = item.seats
    ? { sku: item.sku, seats: Array.from({ length: random.between(1, 3) }, (_, index) => `B-${draft.actions.length}-${index + 1}`) }
    : { sku: item.sku, quantity: random.between(1, 6) };
  return { do: 'restock', line, twice: random.chance(0.4) };
}

export function strike({ faults }: Draft, kind: FaultKind, fromMs: number, toMs: number, chance: number, timesMax: number): void {
  faults.push({ id: `f${faults.length + 1}`, kind, fromMs: Math.max(0, Math.round(fromMs)), toMs: Math.round(toMs), chance, timesMax });
}
