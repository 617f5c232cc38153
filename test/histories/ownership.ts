/** One order's certain possession of a unit: from the answer that named it to the earliest moment at which it can have lost it. */
export interface Possession {
  readonly unit: string;
  readonly orderId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface HeldTwice {
  readonly first: Possession;
  readonly second: Possession;
}

/**
 * Units that two orders had at one moment. A possession is only what is certain, so whatever is found here is wrong whatever happened between
 * an invocation and its response.
 */
export function heldTwice(possessions: readonly Possession[]): HeldTwice[] {
  const found: HeldTwice[] = [];
  for (const ofUnit of Map.groupBy(possessions, ({ unit }) => unit).values()) {
    const real = ofUnit.filter(({ fromMs, untilMs }) => fromMs < untilMs).sort((a, b) => a.fromMs - b.fromMs);
    let longest: Possession | undefined;
    for (const next of real) {
      if (longest && longest.orderId !== next.orderId && next.fromMs < longest.untilMs) found.push({ first: longest, second: next });
      if (!longest || next.untilMs > longest.untilMs) longest = next;
    }
  }
  return found;
}
