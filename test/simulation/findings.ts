/** The seven invariants of DESIGN.md, and what the contract says of answers. */
export const invariants = [
  '1 never oversold',
  '2 nothing acknowledged is lost',
  '3 one end per hold',
  '4 stock is conserved',
  '5 money is conserved',
  '6 every order ends',
  '7 it fails closed',
  'answers',
] as const;
export type Invariant = (typeof invariants)[number];

/** Something that must not be. */
export interface Finding {
  readonly invariant: Invariant;
  readonly what: string;
}

const findingsMax = 20;

/** What is broken, each thing once, and not more than somebody would read. */
export class Findings {
  readonly #byText = new Map<string, Finding>();
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void = () => {}) {
    this.#onFinding = onFinding;
  }

  add(invariant: Invariant, what: string): void {
    const finding = { invariant, what };
    const text = `${invariant}: ${what}`;
    if (this.#byText.has(text) || this.#byText.size >= findingsMax) return;
    this.#byText.set(text, finding);
    this.#onFinding(finding);
  }

  get list(): readonly Finding[] {
    return [...this.#byText.values()];
  }

  get isEmpty(): boolean {
    return this.#byText.size === 0;
  }
}
