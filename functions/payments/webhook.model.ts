import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Arrival } from '../shared/http.ts';

export type WebhookVerdict = 'genuine' | 'unsigned' | 'out-of-time' | 'forged';

/** A secret is not one that the specification knows. Never carries the secret. */
export class BadWebhookSecret extends Error {
  override readonly name = 'BadWebhookSecret';
}

/** How far a signature's time may be from now, before or after it. */
export const toleranceSeconds = 300;
const secretPrefix = 'whsec_';
const keyBytesMin = 24;
/** A sender that rotates its secrets signs with two or three of them. */
const signaturesMax = 10;

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** No dot: it is what the parts of the signed content are joined with. */
const webhookId = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const unixSeconds = /^\d{1,12}$/;

/**
 * The key that a secret stands for: base64 of at least 24 bytes, written with `whsec_` before it, or without. Throws `BadWebhookSecret`.
 * Source: Standard Webhooks 1.0.0, "Signature scheme".
 */
export function webhookKey(secret: string): Buffer {
  const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  const key = Buffer.from(text, 'base64');
  if (!base64.test(text) || key.length < keyBytesMin) {
    throw new BadWebhookSecret(`a webhook secret must be ${secretPrefix} and base64 of at least ${keyBytesMin} bytes`);
  }
  return key;
}

/** The signature of a webhook as its header has it. Source: Standard Webhooks 1.0.0, "Signature scheme". */
export const webhookSignature = (id: string, timestamp: string, raw: Buffer, key: Buffer): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(raw).digest('base64')}`;

/**
 * Whether one of `keys` signed this very request within the last 300 seconds, or the next: clocks differ. All keys and all signatures are compared,
 * each in constant time, so that an answer's time says nothing of them. Signatures of other versions than `v1` count for nothing. The signature is of the
 * body's bytes: a body that was parsed and written again has others.
 */
export function verdictOn({ raw, headers }: Arrival, keys: readonly Buffer[], nowMs: number): WebhookVerdict {
  const id = headers['webhook-id'] ?? '';
  const timestamp = headers['webhook-timestamp'] ?? '';
  const given = (headers['webhook-signature'] ?? '').split(' ').filter(Boolean).slice(0, signaturesMax);
  const isSigned = webhookId.test(id) && unixSeconds.test(timestamp) && given.length > 0;
  if (!isSigned) return 'unsigned';
  const isInTime = Math.abs(Math.floor(nowMs / 1_000) - Number(timestamp)) <= toleranceSeconds;
  if (!isInTime) return 'out-of-time';
  const expected = keys.map((key) => webhookSignature(id, timestamp, raw, key));
  const matches = expected.flatMap((signature) => given.map((each) => areEqual(signature, each)));
  return matches.includes(true) ? 'genuine' : 'forged';
}

/** Compared in constant time; how long a signature is, is no secret. */
function areEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
