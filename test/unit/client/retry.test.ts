import { describe, expect, it } from 'vitest';
import { type Answer, NoAnswer } from '../../../lib/client/connection.ts';
import type { ProblemBody } from '../../../lib/client/contract.ts';
import { mayRetry, waitMs, withRetries } from '../../../lib/client/retry.ts';

const refusal = (status: number, body?: Partial<ProblemBody>, headers: Record<string, string> = {}): Answer<string> => ({
  ok: false,
  status,
  headers,
  text: '',
  body: body && { type: '', title: '', status, detail: '', instance: '', code: 'TRY_AGAIN', retryable: false, ...body },
});
const success: Answer<string> = { ok: true, status: 201, headers: {}, text: '"x"', body: 'x' };
const eager = { attemptsMax: 3, waitMsMax: 1 };

describe('retries', () => {
  it('are made only where the same request may still bring an outcome', () => {
    expect(mayRetry(undefined)).toBe(true);
    expect(mayRetry(success)).toBe(false);
    expect(mayRetry(refusal(409, { retryable: true }))).toBe(true);
    expect(mayRetry(refusal(409, { retryable: false }))).toBe(false);
    // A gateway's own answers carry no problem document.
    expect(mayRetry(refusal(502))).toBe(true);
    expect(mayRetry(refusal(429))).toBe(true);
    expect(mayRetry(refusal(401))).toBe(false);
  });

  it('wait at least as long as the server asks, and never longer than the caps', () => {
    const policy = { attemptsMax: 5, waitMsMax: 3_000 };
    expect(waitMs(refusal(503, {}, { 'retry-after': '2' }), 1, policy, 0)).toBe(2_000);
    expect(waitMs(refusal(503, {}, { 'retry-after': '2' }), 1, policy, 0.5)).toBe(2_100);
    expect(waitMs(refusal(503, {}, { 'retry-after': '3600' }), 1, policy, 0)).toBe(3_000);
    expect(waitMs(refusal(503, {}, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), 1, policy, 0)).toBe(0);
    expect(waitMs(undefined, 30, policy, 0.999)).toBe(3_000);
  });

  it('end with the first outcome', async () => {
    const answers = [refusal(503), refusal(409, { retryable: true }), success];
    const { answer, attempts } = await withRetries(async () => answers.shift() ?? refusal(500), eager);
    expect({ answer, attempts }).toEqual({ answer: success, attempts: 3 });
  });

  it('are bounded, and give the last answer', async () => {
    let sent = 0;
    const { answer, attempts } = await withRetries(async () => refusal(500 + sent++), eager);
    expect([sent, attempts, answer?.status]).toEqual([3, 3, 502]);
  });

  it('cover an answer that never came, and nothing else that is thrown', async () => {
    const gone = await withRetries(() => Promise.reject(new NoAnswer('reset')), eager);
    expect(gone).toEqual({ answer: undefined, attempts: 3 });
    await expect(withRetries(() => Promise.reject(new TypeError('a bug')), eager)).rejects.toThrow('a bug');
  });
});
