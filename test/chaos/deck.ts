import type { Random } from '../simulation/random.ts';
import type { FaultKind } from './faults.ts';

/** Deals kinds of faults, each once in every round; one that met nothing comes again. */
export class Deck {
  readonly #kinds: readonly FaultKind[];
  readonly #random: Random;
  #left: FaultKind[] = [];

  constructor(kinds: readonly FaultKind[], random: Random) {
    this.#kinds = kinds;
    this.#random = random;
  }

  deal(count: number): FaultKind[] {
    const dealt: FaultKind[] = [];
    while (dealt.length < Math.min(count, this.#kinds.length)) {
      if (this.#left.length === 0) this.#left = shuffled(this.#kinds, this.#random);
      const next = this.#left.findIndex((kind) => !dealt.includes(kind));
      if (next < 0) break;
      dealt.push(...this.#left.splice(next, 1));
    }
    return dealt;
  }

  again(kind: FaultKind): void {
    this.#left.unshift(kind);
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
