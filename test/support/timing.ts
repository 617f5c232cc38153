import { setTimeout as pause } from 'node:timers/promises';

/**
 * Whether the work is done before a timer of this process goes off. A machine that lets the process stand still for seconds makes both late, which
 * a clock that is read afterwards would take for a wait that was too long.
 */
export async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const isOver = new AbortController();
  try {
    return await Promise.race([work.then(() => true), pause(ms, false, { signal: isOver.signal })]);
  } finally {
    isOver.abort();
  }
}
