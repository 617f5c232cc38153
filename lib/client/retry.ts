import { pause } from './bounded.ts';
import { type Answer, NoAnswer } from './connection.ts';

export interface RetryPolicy {
  /** Sendings in all, the first included. */
  readonly attemptsMax: number;
  /** The most that is waited because the server asks for it, and the most that is added by chance. */
  readonly waitMsMax: number;
}

export const patientBuyer: RetryPolicy = { attemptsMax: 8, waitMsMax: 5_000 };

/** The last answer, or undefined when none came; and how often it was sent. */
export interface Attempted<Body> {
  readonly answer: Answer<Body> | undefined;
  readonly attempts: number;
}

/** Whether the same request with the same key may still bring an outcome: no answer, a server's failure, or a refusal that says so. */
export function mayRetry(answer: Answer<unknown> | undefined): boolean {
  if (!answer) return true;
  if (answer.ok) return false;
  return answer.body ? answer.body.retryable : answer.status >= 500 || answer.status === 429;
}

/**
 * How long to wait before attempt `attempt` + 1: what `Retry-After` asks for (seconds, capped), and on top of it a random part of 100 ms,
 * doubled with each attempt (capped): a crowd that was turned away together must not come back together. `random` is in [0, 1).
 */
export function waitMs(answer: Answer<unknown> | undefined, attempt: number, { waitMsMax }: RetryPolicy, random: number): number {
  const asked = Number(answer?.headers['retry-after'] ?? 0);
  const askedMs = Number.isFinite(asked) && asked > 0 ? asked * 1_000 : 0;
  return Math.min(askedMs, waitMsMax) + Math.min(random * 100 * 2 ** attempt, waitMsMax);
}

/** Sends until there is an outcome or the policy is exhausted. `send` must carry the same `Idempotency-Key` each time. */
export async function withRetries<Body>(
  send: () => Promise<Answer<Body>>,
  policy: RetryPolicy,
  onRetry: (answer: Answer<Body> | undefined) => void = () => {},
): Promise<Attempted<Body>> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send().catch((error: unknown) => {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    });
    if (attempt >= policy.attemptsMax || !mayRetry(answer)) return { answer, attempts: attempt };
    onRetry(answer);
    await pause(waitMs(answer, attempt, policy, Math.random()));
  }
}
