import { type FaultKind, faultOf } from './fault-kinds.ts';
import type { IoCall, Verdict } from './machine/contract.ts';
import type { PlannedFault } from './plan.ts';
import type { Random } from './random.ts';

/** A fault that has struck. */
export interface Strike {
  readonly fault: PlannedFault;
  readonly row: number;
  readonly what: string;
}

interface Surroundings {
  /** Since the people began. */
  readonly elapsedMs: () => number;
  readonly random: Random;
  readonly onStrike: (strike: Strike) => void;
}

/** The faults of a plan: each strikes within its time, by its chance, a bounded number of times. */
export class Faults {
  readonly #faults: readonly PlannedFault[];
  readonly #random: ReadonlyMap<PlannedFault, Random>;
  readonly #surroundings: Surroundings;
  readonly #struck = new Map<PlannedFault, number>();
  /** Containers whose socket died while they were frozen. */
  readonly #deadSockets = new Set<number>();
  #isOver = false;

  constructor(faults: readonly PlannedFault[], surroundings: Surroundings) {
    this.#faults = faults;
    this.#surroundings = surroundings;
    // A fault's luck is its own: with another one taken out, this one still strikes by the same numbers.
    this.#random = new Map(faults.map((fault) => [fault, surroundings.random.fork(fault.id)]));
  }

  /** From here on everything works. */
  stop(): void {
    this.#isOver = true;
  }

  /** What becomes of a call to the outside. */
  judge(call: IoCall): Verdict {
    if (this.#isOver) return { do: 'pass' };
    if (call.target === 'redis' && this.#deadSockets.delete(call.container)) return { do: 'fail', error: 'timeout' };
    for (const fault of this.#active()) {
      const kind = faultOf(fault.kind);
      if (kind.at !== 'io' || !kind.strikes(call)) continue;
      const random = this.#random.get(fault);
      if (!random?.chance(fault.chance)) continue;
      this.#strike(fault, `${kind.what} (${call.functionName} at ${call.operation})`);
      if (fault.kind === 'dead-socket') this.#deadSockets.add(call.container);
      return kind.verdict(random);
    }
    return { do: 'pass' };
  }

  /** Whether a fault of this kind strikes now: for what is no call of a function. */
  strikes(kind: FaultKind, about = ''): Random | undefined {
    if (this.#isOver) return undefined;
    for (const fault of this.#active()) {
      if (fault.kind !== kind) continue;
      const random = this.#random.get(fault);
      if (!random?.chance(fault.chance)) continue;
      this.#strike(fault, `${faultOf(kind).what}${about === '' ? '' : ` (${about})`}`);
      return random;
    }
    return undefined;
  }

  *#active(): Generator<PlannedFault> {
    const nowMs = this.#surroundings.elapsedMs();
    for (const fault of this.#faults) {
      const isItsTime = nowMs >= fault.fromMs && nowMs < fault.toMs;
      if (isItsTime && (this.#struck.get(fault) ?? 0) < fault.timesMax) yield fault;
    }
  }

  #strike(fault: PlannedFault, what: string): void {
    this.#struck.set(fault, (this.#struck.get(fault) ?? 0) + 1);
    this.#surroundings.onStrike({ fault, row: faultOf(fault.kind).row, what });
  }
}
