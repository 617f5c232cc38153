/**
 * What is wrong, in words. A sale can be wrong in a million places, and nobody reads more than some: the first `shownMax` are kept, and all are
 * counted.
 */
export class Findings {
  readonly #shownMax: number;
  readonly #shown: string[] = [];
  #count = 0;

  constructor(shownMax: number) {
    this.#shownMax = shownMax;
  }

  add(words: string): void {
    if (this.#count++ < this.#shownMax) this.#shown.push(words);
  }

  get count(): number {
    return this.#count;
  }

  /** The first of them, in the order in which they were found. */
  get shown(): readonly string[] {
    return this.#shown;
  }
}
