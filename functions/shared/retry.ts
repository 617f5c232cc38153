import { setTimeout as pause } from 'node:timers/promises';

/** Others kept changing what this request had read, for all attempts. Nothing was done. */
export class TooMuchContention extends Error {
  override readonly name = 'TooMuchContention';
}

/** Returned by an attempt that lost a race and should read again. */
export const again = Symbol('again');

/** Repeats an optimistic read-then-write until it wins or decides (full jitter, 20 ms doubling to 320). Throws `TooMuchContention` after `attemptsMax`. */
export async function untilSettled<Outcome>(attempt: () => Promise<Outcome | typeof again>, attemptsMax = 8): Promise<Outcome> {
  for (let tried = 0; tried < attemptsMax; tried++) {
    const outcome = await attempt();
    if (outcome !== again) return outcome;
    await pause(Math.random() * Math.min(20 * 2 ** tried, 320));
  }
  throw new TooMuchContention(`lost ${attemptsMax} races in a row`);
}
