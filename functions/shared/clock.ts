/** Time is passed in: rules get numbers, use cases get a clock. */
export interface Clock {
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** RFC 3339 in UTC, as the contract shows times. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();
