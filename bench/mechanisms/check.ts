import type { Answer, Attempt, StoredOrder } from './mechanism.ts';

/** What one buyer asked and was told, and when. */
export interface Told {
  readonly attempt: Attempt;
  readonly answer: Answer;
  readonly invokedMs: number;
  readonly respondedMs: number;
}

/** Of the orders that are stored, beside what buyers were told. All but `sold` and `left` are faults. */
export interface Verdict {
  /** Units in orders. */
  readonly sold: number;
  readonly left: number;
  readonly oversold: number;
  /** Orders beyond the first of a key. */
  readonly duplicates: number;
  /** Refusals at a time when, whatever the order of things, enough was left. */
  readonly wrongRefusals: number;
  /** Buyers who were told of an order that is not stored. */
  readonly lost: number;
  /** Units that two orders have, or that the sale does not have. */
  readonly wrongUnits: number;
}

/** Judges by what was recorded: nothing that a mechanism says of itself counts. */
export function verdictOf(stock: number, told: readonly Told[], orders: readonly StoredOrder[]): Verdict {
  const sold = orders.reduce((sum, { quantity }) => sum + quantity, 0);
  const stored = new Set(orders.map(({ orderId }) => orderId));
  return {
    sold,
    left: Math.max(0, stock - sold),
    oversold: Math.max(0, sold - stock),
    duplicates: orders.length - new Set(orders.map(({ key }) => key)).size,
    wrongRefusals: wrongRefusals(stock, told),
    lost: told.filter(({ answer }) => answer.sold && !stored.has(answer.orderId)).length,
    wrongUnits: wrongUnits(stock, orders),
  };
}

/**
 * A sale takes its units after it was asked for. So at the time a refusal was given, at most the sales that had been asked for by then had
 * taken theirs; if that leaves enough, the refusal is wrong, however the rest of it went.
 */
function wrongRefusals(stock: number, told: readonly Told[]): number {
  const askedMs = new Map<string, { readonly invokedMs: number; readonly quantity: number }>();
  for (const { attempt, answer, invokedMs } of told) {
    if (!answer.sold) continue;
    // A replay takes nothing: the first who asked counts.
    const first = askedMs.get(answer.orderId);
    if (!first || invokedMs < first.invokedMs) askedMs.set(answer.orderId, { invokedMs, quantity: attempt.quantity });
  }
  const sales = [...askedMs.values()].sort((a, b) => a.invokedMs - b.invokedMs);
  const refusals = told.filter(({ answer }) => !answer.sold).sort((a, b) => a.respondedMs - b.respondedMs);
  let [taken, next, wrong] = [0, 0, 0];
  for (const { attempt, respondedMs } of refusals) {
    for (let sale = sales[next]; sale && sale.invokedMs <= respondedMs; sale = sales[++next]) taken += sale.quantity;
    if (stock - taken >= attempt.quantity) wrong++;
  }
  return wrong;
}

function wrongUnits(stock: number, orders: readonly StoredOrder[]): number {
  const units = orders.flatMap(({ units: of = [] }) => of);
  const strange = units.filter((unit) => !(Number(unit) >= 1 && Number(unit) <= stock)).length;
  return units.length - new Set(units).size + strange;
}

export const faultsOf = ({ oversold, duplicates, wrongRefusals: refused, lost, wrongUnits: wrong }: Verdict): number =>
  oversold + duplicates + refused + lost + wrong;
