/** The largest serial that a unit can have. */
export const serialMax = 9_999_999;

/** Serials of one item, a bit each: a million take 125 kB, where a list of them would take 8 MB. */
export class SerialSet {
  #bits: Uint8Array;
  #highest = 0;

  /** `expected`: the highest serial that is likely to come. Higher ones make it grow. */
  constructor(expected: number) {
    this.#bits = new Uint8Array((Math.min(expected, serialMax) >> 3) + 1);
  }

  /** Throws a `RangeError` for what is no serial. */
  add(serial: number): void {
    if (!Number.isInteger(serial) || serial < 1 || serial > serialMax) throw new RangeError(`serial ${serial}`);
    const at = serial >> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, Math.min(2 * this.#bits.length, (serialMax >> 3) + 1)));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (serial & 7));
    this.#highest = Math.max(this.#highest, serial);
  }

  has(serial: number): boolean {
    return (((this.#bits[serial >> 3] ?? 0) >> (serial & 7)) & 1) === 1;
  }

  /** The highest serial in the set that is not above `limit`; 0 when there is none. */
  highestUpTo(limit: number): number {
    for (let serial = Math.min(limit, this.#highest); serial > 0; serial--) if (this.has(serial)) return serial;
    return 0;
  }

  /** How many serials of the set are above `limit`. */
  countAbove(limit: number): number {
    let count = 0;
    for (let serial = limit + 1; serial <= this.#highest; serial++) if (this.has(serial)) count += 1;
    return count;
  }

  /** The runs of serials from 1 to `limit` that are not in the set, lowest first. */
  *gapsUpTo(limit: number): Generator<{ readonly first: number; readonly last: number }> {
    let first = 0;
    for (let serial = 1; serial <= limit + 1; serial++) {
      const isGap = serial <= limit && !this.has(serial);
      if (isGap && first === 0) first = serial;
      if (!isGap && first > 0) {
        yield { first, last: serial - 1 };
        first = 0;
      }
    }
  }
}
