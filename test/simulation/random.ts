// Seeded randomness with independent branches: mulberry32 (Tommy Ettinger, public domain, 32 bits of state) for the numbers, and the
// string hash xmur3 (bryc, public domain) for its seeds. A branch depends on the seed and on its name alone, never on how many numbers
// were drawn before it, so one actor more does not change what the others do.

/** A stream of random numbers that a seed repeats. */
export interface Random {
  /** A number from 0 to below 1. */
  next(): number;
  /** A whole number from 0 to below `n`. */
  int(n: number): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of the items, each as likely as the others. */
  pick<Item>(items: readonly Item[]): Item;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** A copy in another order. */
  shuffle<Item>(items: readonly Item[]): Item[];
  /** Lower-case hexadecimal digits. */
  hex(digits: number): string;
  /** A stream of its own, the same for the same name whatever was drawn from this one. */
  fork(name: string): Random;
}

const TWO_TO_32 = 4_294_967_296;

/** 32 bits of a text (xmur3 with its final mixing). */
export function hash32(text: string): number {
  let hash = 1_779_033_703 ^ text.length;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 3_432_918_353);
    hash = (hash << 13) | (hash >>> 19);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507);
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The stream that belongs to a seed. */
export function randomOf(seed: number | string): Random {
  const path = String(seed);
  let state = hash32(path);

  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };

  const int = (n: number): number => {
    if (!Number.isInteger(n) || n < 1) throw new Error(`Random.int wants a positive whole number, not ${n}.`);
    return Math.floor(next() * n);
  };

  const pick = <Item>(items: readonly Item[]): Item => items[int(items.length)] as Item;

  return {
    next,
    int,
    between: (min, max) => min + int(max - min + 1),
    pick,
    chance: (probability) => next() < probability,
    shuffle(items) {
      const left = [...items];
      return items.map(() => left.splice(int(left.length), 1)[0] as (typeof items)[number]);
    },
    hex: (digits) => Array.from({ length: digits }, () => int(16).toString(16)).join(''),
    fork: (name) => randomOf(`${path}/${name}`),
  };
}
