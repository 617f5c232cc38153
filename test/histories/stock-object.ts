/**
 * The stock of one item as one object, one caller at a time: what each operation does to it, and what it may answer. Whatever many callers saw
 * at once must be explained by some order of operations on this.
 */
export interface Stock {
  /** Units that nobody has. */
  readonly free: number;
  /** Units known by name that somebody has: a serial number, or a seat. A cart of counted units has some that nobody has named yet. */
  readonly owned: ReadonlySet<string>;
}

export type Effect =
  /** Units leave the stock. Those of a cart are counted and not named. */
  | { readonly kind: 'take'; readonly units: readonly string[]; readonly unnamed: number }
  /** Units come back to it. */
  | { readonly kind: 'give'; readonly units: readonly string[]; readonly unnamed: number }
  /** Units that a cart has become an order's, with names. */
  | { readonly kind: 'name'; readonly units: readonly string[] }
  /** Refused: fewer were free than asked for; how many, where the answer says so. */
  | { readonly kind: 'sold-out'; readonly wanted: number; readonly free?: number | undefined }
  /** Refused: somebody had each of these. */
  | { readonly kind: 'taken'; readonly units: readonly string[] }
  | { readonly kind: 'read'; readonly free: number }
  /** More units than before. */
  | { readonly kind: 'grow'; readonly by: number };

/** One operation as its caller saw it. Times are of one clock, in milliseconds. */
export interface Operation {
  /** For people: who did what. */
  readonly label: string;
  readonly effect: Effect;
  readonly invokedMs: number;
  /** The latest moment at which it can have happened. Infinity for one that nobody has heard the end of: it may as well never have happened. */
  readonly respondedMs: number;
}

export const isOptional = ({ respondedMs }: Operation): boolean => respondedMs === Number.POSITIVE_INFINITY;

const without = (owned: ReadonlySet<string>, units: readonly string[]): ReadonlySet<string> => {
  const gone = new Set(units);
  return new Set([...owned].filter((unit) => !gone.has(unit)));
};
const withMore = (owned: ReadonlySet<string>, units: readonly string[]): ReadonlySet<string> => new Set([...owned, ...units]);

/** The stock after the operation, or undefined if the operation can't have gone that way on this stock. */
export function after({ free, owned }: Stock, effect: Effect): Stock | undefined {
  switch (effect.kind) {
    case 'take': {
      const count = effect.units.length + effect.unnamed;
      const isThere = free >= count && effect.units.every((unit) => !owned.has(unit));
      return isThere ? { free: free - count, owned: withMore(owned, effect.units) } : undefined;
    }
    case 'give': {
      const wasGiven = effect.units.every((unit) => owned.has(unit));
      return wasGiven ? { free: free + effect.units.length + effect.unnamed, owned: without(owned, effect.units) } : undefined;
    }
    case 'name':
      return effect.units.some((unit) => owned.has(unit)) ? undefined : { free, owned: withMore(owned, effect.units) };
    case 'sold-out':
      return free < effect.wanted && (effect.free === undefined || effect.free === free) ? { free, owned } : undefined;
    case 'taken':
      return effect.units.every((unit) => owned.has(unit)) ? { free, owned } : undefined;
    case 'read':
      return effect.free === free ? { free, owned } : undefined;
    case 'grow':
      return { free: free + effect.by, owned };
  }
}
