/** Whether one more request may pass now. */
export type Throttle = (nowMs: number) => boolean;

/** A stage's throttling: a token bucket that refills at `ratePerSecond` and holds `burst`. Without limits everything passes. */
export function tokenBucket(ratePerSecond: number | undefined, burst: number | undefined, startMs: number): Throttle {
  if (ratePerSecond === undefined || burst === undefined) return () => true;
  let tokens = burst;
  let refilledMs = startMs;
  return (nowMs) => {
    tokens = Math.min(burst, tokens + (Math.max(0, nowMs - refilledMs) * ratePerSecond) / 1_000);
    refilledMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
