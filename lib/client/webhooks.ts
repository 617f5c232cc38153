import { createHmac, randomUUID } from 'node:crypto';
import type { Headers } from './connection.ts';

/** What a payment provider tells of a payment. */
export interface PaymentNotice {
  readonly type: 'payment.succeeded' | 'payment.failed';
  readonly data: { readonly paymentId: string; readonly orderId: string; readonly amountMinor: number; readonly currency: string };
}

export interface Signing {
  /** `whsec_…`; with several the webhook bears a signature of each, as a sender does that is changing its secret. */
  readonly secrets: readonly string[];
  /** The event's name, which a repeat has as well; a fresh one when left out. */
  readonly webhookId?: string;
  readonly nowMs?: number;
}

/**
 * The headers that a body is sent with, signed over these very characters. Written from the specification and not from the functions that verify, so
 * that the two can be held against each other. Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
 */
export function webhookHeaders(body: string, { secrets, webhookId = `msg_${randomUUID()}`, nowMs = Date.now() }: Signing): Headers {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${webhookId}.${timestamp}.${body}`, 'utf8').digest('base64')}`;
  });
  return {
    'content-type': 'application/json',
    'webhook-id': webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
