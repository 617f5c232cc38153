import type { Clock } from '../shared/clock.ts';
import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { type PaymentPorts, takeFailure, takePayment } from './take-payment.ts';
import { verdictOn, webhookKey } from './webhook.model.ts';
import { paymentWebhookRoute } from './webhook.routes.ts';

export interface WebhookPorts extends PaymentPorts {
  readonly clock: Clock;
  /** The secrets that providers sign with, newest first. */
  readonly webhookSecrets: () => Promise<readonly string[]>;
}

/** RFC 9110 asks for a challenge with every 401, and a token would not help. */
const challenge = { 'www-authenticate': 'StandardWebhooks' };

const refusals = {
  unsigned: 'Sign the request: webhook-id, webhook-timestamp and webhook-signature are needed.',
  'out-of-time': 'The webhook-timestamp is more than 300 seconds from now.',
  forged: 'No webhook-signature is of this request and a known secret.',
} as const;

export const webhookEndpoints = (ports: WebhookPorts): Endpoint[] => [
  endpoint(
    paymentWebhookRoute,
    async ({ body: { type, data }, headers }) => {
      if (type === 'payment.succeeded') await takePayment(data, headers['webhook-id'] ?? '', ports);
      else await takeFailure(data, ports);
      return {};
    },
    async (arrival) => {
      const keys = (await ports.webhookSecrets()).map(webhookKey);
      const verdict = verdictOn(arrival, keys, ports.clock.nowMs());
      if (verdict !== 'genuine') throw new Problem('UNAUTHENTICATED', refusals[verdict], {}, challenge);
    },
  ),
];
