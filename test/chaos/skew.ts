import { createHash } from 'node:crypto';

/** Which containers' clocks are off, and by how much; what their processes read from a file. */
export interface SkewPlan {
  /** How likely a container's clock is to be off; 0: all are right. */
  readonly share: number;
  /** Before or behind. */
  readonly skewMs: number;
  /** So that others are met the next time. */
  readonly salt: string;
}

export const noSkew: SkewPlan = { share: 0, skewMs: 0, salt: '' };

/** How far the clock of this process is off: nothing, or the plan's milliseconds, before or behind. */
export function skewOf(pid: number, { share, skewMs, salt }: SkewPlan): number {
  const hash = createHash('sha1').update(`${salt}/${pid}`).digest();
  if (hash.readUInt16BE(0) / 65_536 >= share) return 0;
  return hash.readUInt8(2) % 2 === 0 ? skewMs : -skewMs;
}
