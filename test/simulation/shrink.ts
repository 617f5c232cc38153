import type { Plan } from './plan.ts';
import type { Outcome } from './run.ts';

export interface ShrinkOptions {
  readonly triesMax: number;
  readonly msMax: number;
  /** Of the real clock. */
  readonly nowMs: () => number;
}

/** What is taken out in one try: of an action and a fault alike, by their places in one list. */
const partsOf = (plan: Plan): readonly { readonly id: string }[] => [...plan.faults, ...plan.actions];

const without = (plan: Plan, gone: ReadonlySet<string>): Plan => ({
  ...plan,
  actions: plan.actions.filter(({ id }) => !gone.has(id)),
  faults: plan.faults.filter(({ id }) => !gone.has(id)),
});

/**
 * Takes actions and faults out of a plan for as long as it still breaks the same invariant: half of them at once, then quarters, and so on down to each by
 * itself (delta debugging, Zeller and Hildebrandt 2002, complements alone). Bounded by tries and by time, so what comes out is small and need not be the smallest.
 */
export async function shrink(
  broken: Outcome,
  run: (plan: Plan) => Promise<Outcome>,
  { triesMax, msMax, nowMs }: ShrinkOptions,
): Promise<Outcome> {
  const invariant = broken.findings[0]?.invariant;
  const untilMs = nowMs() + msMax;
  let smallest = broken;
  let tries = 0;
  let size = Math.ceil(partsOf(smallest.plan).length / 2);
  while (size >= 1) {
    let hasShrunk = false;
    for (let at = 0; at < partsOf(smallest.plan).length; ) {
      if (tries++ >= triesMax || nowMs() > untilMs) return smallest;
      const gone = new Set(
        partsOf(smallest.plan)
          .slice(at, at + size)
          .map(({ id }) => id),
      );
      const tried = await run(without(smallest.plan, gone));
      if (tried.findings.some((finding) => finding.invariant === invariant)) {
        smallest = tried;
        hasShrunk = true;
      } else at += size;
    }
    if (size === 1 && !hasShrunk) return smallest;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return smallest;
}
