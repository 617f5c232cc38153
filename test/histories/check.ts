import { notConserved } from './conservation.ts';
import { decide } from './linearizable.ts';
import { observed, possessions } from './observe.ts';
import { heldTwice } from './ownership.ts';
import type { Operation } from './stock-object.ts';
import type { Window } from './window.ts';

/** What checking windows came to. */
export interface Checked {
  readonly operations: number;
  readonly possessions: number;
  readonly states: number;
  /** Histories too long to decide: nothing is known of them. */
  readonly undecided: number;
  /** In words for people, each with what is needed to look into it. */
  readonly violations: readonly string[];
}

const spoken = ({ label, effect, invokedMs, respondedMs }: Operation, sinceMs: number): string =>
  `  ${(invokedMs - sinceMs).toFixed(2)} to ${(respondedMs - sinceMs).toFixed(2)} ms: ${label} -> ${JSON.stringify(effect)}`;

/** Checks that no unit had two owners, that each item's stock behaved as one object, and that all adds up at the end. */
export function check(window: Window): Checked {
  const { saleId } = window.sale;
  const violations = notConserved(window).map((what) => `${saleId}: not conserved: ${what}`);
  const held = possessions(window);
  for (const { first, second } of heldTwice(held))
    violations.push(`${saleId}: ${first.unit} is held by ${first.orderId} and ${second.orderId} at once`);
  let [states, undecided, operations] = [0, 0, 0];
  for (const { sku, initial, history } of observed(window)) {
    const decision = decide(history, initial);
    states += decision.states;
    operations += history.length;
    if (decision.outcome === 'undecided') undecided++;
    if (decision.outcome !== 'impossible') continue;
    const sinceMs = Math.min(...history.map(({ invokedMs }) => invokedMs));
    const told = (indexes: readonly number[]) =>
      indexes.flatMap((index) => history.slice(index, index + 1)).map((operation) => spoken(operation, sinceMs));
    violations.push(
      [
        `${saleId}: no order of operations explains what was seen of ${sku}. As far as it goes:`,
        ...told(decision.furthest),
        '  and then none of:',
        ...told(decision.stuck),
      ].join('\n'),
    );
  }
  return { operations, possessions: held.length, states, undecided, violations };
}

/** All of them together. */
export const sumOf = (all: readonly Checked[]): Checked => ({
  operations: all.reduce((sum, { operations }) => sum + operations, 0),
  possessions: all.reduce((sum, { possessions: count }) => sum + count, 0),
  states: all.reduce((sum, { states }) => sum + states, 0),
  undecided: all.reduce((sum, { undecided }) => sum + undecided, 0),
  violations: all.flatMap(({ violations }) => violations),
});
