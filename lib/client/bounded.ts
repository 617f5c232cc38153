/** Lets at most `max` tasks run at once; the others wait in the order they came. */
export class Gate {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  // Index of the first that still waits: shifting a long array would cost the crowd's square.
  #next = 0;
  #running = 0;

  constructor(max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`a gate lets at least one through, not ${max}`);
    this.#max = max;
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#max) this.#running++;
    else await new Promise<void>((proceed) => this.#waiting.push(proceed));
    try {
      return await task();
    } finally {
      this.#handOver();
    }
  }

  /** Whoever waited longest takes the place over, so the count of running ones stays. */
  #handOver(): void {
    const proceed = this.#waiting[this.#next];
    if (!proceed) {
      this.#running--;
      return;
    }
    this.#next++;
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    proceed();
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A condition that did not come true in time. */
export class WaitedInVain extends Error {
  override readonly name = 'WaitedInVain';
}

/**
 * Asks `probe` again and again until it answers something else than undefined, and returns that.
 * Throws `WaitedInVain` with what was awaited after `withinMs`.
 */
export async function until<Result>(
  awaited: string,
  probe: () => Promise<Result | undefined>,
  { withinMs = 20_000, everyMs = 50 } = {},
): Promise<Result> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (performance.now() > deadlineMs) throw new WaitedInVain(`${awaited}: not within ${withinMs / 1000} s`);
    await pause(everyMs);
  }
}
