import { orderIdOf } from '../shared/ids.ts';
import type { HoldState } from '../stock/stock.model.ts';
import type { HoldSeen } from './drift.model.ts';

/** Nobody's. */
export const nobody = 0;

/**
 * The holds that Redis has, by small numbers: what is remembered of a unit is then a number. Kept of each are its state, how many units it has and
 * how many of them its order has by rows.
 */
export class HoldTable {
  readonly #numbers = new Map<string, number>();
  readonly #ids: string[] = [''];
  readonly #states: HoldState[] = ['ended'];
  readonly #unmatched: number[] = [0];

  add({ holdId, state, lines }: Pick<HoldSeen, 'holdId' | 'state' | 'lines'>): number {
    const number = this.#ids.length;
    this.#numbers.set(holdId, number);
    this.#ids.push(holdId);
    this.#states.push(state);
    this.#unmatched.push(lines.reduce((sum, { units }) => sum + units.length, 0));
    return number;
  }

  numberOf(holdId: string): number {
    return this.#numbers.get(holdId) ?? nobody;
  }

  idOf(number: number): string {
    return this.#ids[number] ?? '';
  }

  /** One of its units has a row of its order. */
  match(number: number): void {
    this.#unmatched[number] = (this.#unmatched[number] ?? 0) - 1;
  }

  /** The holds that orders have, and which have units that no row of theirs names. */
  *unmatched(): Generator<{ readonly holdId: string; readonly orderId: string }> {
    for (let number = 1; number < this.#ids.length; number++) {
      const hasOrder = this.#states[number] === 'acknowledged' || this.#states[number] === 'confirmed';
      const holdId = this.idOf(number);
      if (hasOrder && this.#unmatched[number] !== 0) yield { holdId, orderId: orderIdOf(holdId) };
    }
  }

  get size(): number {
    return this.#ids.length - 1;
  }
}
