import { randomBytes } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import type { WebhookPorts } from '../../../functions/payments/webhook.endpoints.ts';
import { webhookEndpoints } from '../../../functions/payments/webhook.endpoints.ts';
import { paymentWebhookRoute } from '../../../functions/payments/webhook.routes.ts';
import { type HttpEvent, httpHandler } from '../../../functions/shared/http.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { routeKeyOf } from '../../../functions/shared/route.ts';
import { webhookHeaders } from '../../../lib/client/webhooks.ts';
import { answerOf, eventOf } from '../../support/api.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const nowMs = Date.now();

/** Nobody knows any order here, and each payment is written down. */
function door(secrets: () => Promise<readonly string[]> = async () => [secret]) {
  const taken: unknown[] = [];
  const ports: WebhookPorts = {
    orders: {
      get: async () => undefined,
      transition: async () => {
        throw new Error('there is no order to move');
      },
    },
    payments: {
      get: async () => undefined,
      entry: () => ({}),
      bookStray: async (row) => {
        taken.push(row);
        return 'booked';
      },
    },
    goOn: async () => {},
    clock: { nowMs: () => nowMs },
    webhookSecrets: secrets,
  };
  const handler = httpHandler(webhookEndpoints(ports), async () => {
    throw new Problem('NOT_FOUND', 'Nothing here.');
  });
  return {
    taken,
    async send(body: string, { headers = {}, changes = {} }: { headers?: Record<string, string>; changes?: Partial<HttpEvent> } = {}) {
      const event = eventOf('POST', paymentWebhookRoute.path, {
        body,
        headers: { ...webhookHeaders(body, { secrets: [secret], nowMs }), ...headers },
      });
      return answerOf(await handler({ ...event, routeKey: routeKeyOf(paymentWebhookRoute), ...changes }, {} as Context));
    },
  };
}

const data = { paymentId: 'pay_1', orderId: 'ord_AAAAAAAAAAAAAAAAAAAAAA', amountMinor: 2_500, currency: 'EUR' };
const notice = { type: 'payment.succeeded', data };
const text = JSON.stringify(notice);

describe('the door for webhooks', () => {
  it('takes a signed payment and says nothing', async () => {
    const { send, taken } = door();
    expect(await send(text)).toMatchObject({ status: 204, text: '' });
    expect(taken).toMatchObject([{ ...data, state: 'returned', atMs: nowMs }]);
  });

  it('verifies the bytes as they came, whether the gateway hands them over as text or in base64', async () => {
    const { send, taken } = door();
    const spelled = `{ "data": ${JSON.stringify({ ...data, note: 'Zoë' })},\n "type":"payment.succeeded" }`;
    const changes = { body: Buffer.from(spelled).toString('base64'), isBase64Encoded: true };
    expect(await send(spelled, { changes })).toMatchObject({ status: 204 });
    expect(await send(spelled)).toMatchObject({ status: 204 });
    expect(taken).toHaveLength(2);
  });

  it('lets a provider add what it likes', async () => {
    const { send } = door();
    const more = { ...notice, timestamp: '2026-11-27T09:00:00Z', data: { ...data, customer: { name: 'Ada' } } };
    expect(await send(JSON.stringify(more))).toMatchObject({ status: 204 });
  });

  it('refuses what is not signed, late or forged, before it looks into the body, and challenges', async () => {
    const { send, taken } = door();
    const unsigned = { 'webhook-signature': '' };
    const late = { ...webhookHeaders(text, { secrets: [secret], nowMs: nowMs - 301_000 }) };
    const forged = { ...webhookHeaders(text, { secrets: [`whsec_${randomBytes(32).toString('base64')}`], nowMs }) };
    for (const headers of [unsigned, late, forged]) {
      for (const body of [text, 'not JSON', '{}']) {
        const answer = await send(body, { headers });
        expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED', retryable: false } });
        expect(answer.headers['www-authenticate']).toBe('StandardWebhooks');
        expect(answer.text).not.toContain(secret.slice(6));
      }
    }
    expect(taken).toEqual([]);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['nothing', ''],
    ['another type', JSON.stringify({ ...notice, type: 'payment.refunded' })],
    ['no order', JSON.stringify({ type: notice.type, data: { ...data, orderId: undefined } })],
    ['no payment', JSON.stringify({ type: notice.type, data: { ...data, paymentId: '' } })],
    ['a negative amount', JSON.stringify({ type: notice.type, data: { ...data, amountMinor: -1 } })],
    ['half a cent', JSON.stringify({ type: notice.type, data: { ...data, amountMinor: 0.5 } })],
    ['an amount that is no number', JSON.stringify({ type: notice.type, data: { ...data, amountMinor: '2500' } })],
    ['more than there is', JSON.stringify({ type: notice.type, data: { ...data, amountMinor: 1e15 } })],
    ['no currency', JSON.stringify({ type: notice.type, data: { ...data, currency: 'eur' } })],
  ])('refuses a signed body with %s', async (_, body) => {
    const { send, taken } = door();
    expect(await send(body)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
    expect(taken).toEqual([]);
  });

  it('refuses other media types and large bodies like every door', async () => {
    const { send } = door();
    expect(await send(text, { headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 415 });
    const large = JSON.stringify({ ...notice, padding: 'x'.repeat(8 * 1_024) });
    expect(await send(large)).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });

  it('asks to be told again when its secrets can’t be read, or are none', async () => {
    const away = door(async () => {
      throw new Error('Secrets Manager is away');
    });
    expect(await away.send(text)).toMatchObject({ status: 503, body: { code: 'TRY_AGAIN', retryable: true } });
    const wrong = door(async () => ['a secret that is long enough, and not base64']);
    const answer = await wrong.send(text);
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.text).not.toContain('long enough');
  });
});
