import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadWebhookSecret, verdictOn, webhookKey, webhookSignature } from '../../../functions/payments/webhook.model.ts';
import { webhookHeaders } from '../../../lib/client/webhooks.ts';

const nowMs = 1_800_000_000_000;
const secretOf = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
const [newest, older, stranger] = [secretOf(24), secretOf(64), secretOf(32)];
const keys = [newest, older].map(webhookKey);
const body = '{"type":"payment.succeeded","data":{"note":"Zoë paid 5 €"}}';
const signed = (secrets: string[], { at = nowMs, text = body } = {}) => webhookHeaders(text, { secrets, nowMs: at, webhookId: 'msg_1' });
const verdict = (headers: Readonly<Record<string, string | undefined>>, raw: string | Buffer = body) =>
  verdictOn({ raw: Buffer.from(raw), headers }, keys, nowMs);

describe('a webhook’s signature', () => {
  it('is what the specification’s own libraries make of the same key, id, time and body', () => {
    const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const signature = webhookSignature('msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', Buffer.from('{"test": 2432232314}'), key);
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is good by any of the known secrets, also as one of several, and by no other', () => {
    expect(verdict(signed([newest]))).toBe('genuine');
    expect(verdict(signed([older]))).toBe('genuine');
    expect(verdict(signed([stranger, older]))).toBe('genuine');
    expect(verdict(signed([stranger]))).toBe('forged');
    expect(verdictOn({ raw: Buffer.from(body), headers: signed([older]) }, keys.slice(0, 1), nowMs)).toBe('forged');
  });

  it('is over the very bytes of the body, and over id and time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
        const raw = Buffer.from(bytes);
        const headers = (content: Buffer) => ({
          'webhook-id': 'msg_1',
          'webhook-timestamp': '1800000000',
          'webhook-signature': webhookSignature('msg_1', '1800000000', content, keys[0] as Buffer),
        });
        expect(verdict(headers(raw), raw)).toBe('genuine');
        expect(verdict({ ...headers(raw), 'webhook-id': 'msg_2' }, raw)).toBe('forged');
        expect(verdict({ ...headers(raw), 'webhook-timestamp': '1800000001' }, raw)).toBe('forged');
        expect(verdict(headers(raw), Buffer.concat([raw, Buffer.from(' ')]))).toBe('forged');
        if (raw.length === 0) return;
        const tampered = Buffer.from(raw);
        tampered[at % raw.length] = (tampered[at % raw.length] ?? 0) ^ flip;
        expect(verdict(headers(raw), tampered)).toBe('forged');
      }),
    );
  });

  it('counts for 300 seconds, before and after its time', () => {
    for (const seconds of [-300, -1, 0, 1, 300]) expect(verdict(signed([newest], { at: nowMs + seconds * 1_000 }))).toBe('genuine');
    for (const seconds of [-301, 301, -86_400, 86_400])
      expect(verdict(signed([newest], { at: nowMs + seconds * 1_000 }))).toBe('out-of-time');
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('needs %s', (name) => {
    for (const value of [undefined, '', ' ']) expect(verdict({ ...signed([newest]), [name]: value })).toBe('unsigned');
  });

  it('has a time in whole seconds and an id without a dot, so that its parts can’t be read in two ways', () => {
    const resigned = (id: string, timestamp: string) => ({
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': webhookSignature(id, timestamp, Buffer.from(body), keys[0] as Buffer),
    });
    expect(verdict(resigned('msg_1', '1800000000'))).toBe('genuine');
    for (const id of ['msg.1', 'msg 1', 'x'.repeat(256)]) expect(verdict(resigned(id, '1800000000'))).toBe('unsigned');
    for (const time of ['1800000000.0', '+1800000000', '0x6b49d200', ' 1800000000', '18e8', '-1'])
      expect(verdict(resigned('msg_1', time))).toBe('unsigned');
  });

  it('of another version than v1, cut short, or spelled otherwise is none', () => {
    const good = signed([newest])['webhook-signature'] ?? '';
    const spelled = [
      good.replace('v1,', 'v1a,'),
      good.replace('v1,', 'v2,'),
      good.replace('v1,', ''),
      good.slice(0, -1),
      `${good}=`,
      'v1,',
      ',',
    ];
    for (const signature of spelled) expect(verdict({ ...signed([newest]), 'webhook-signature': signature })).toBe('forged');
    const among = ['v1a,abc', 'v1,wrong', good].join('  ');
    expect(verdict({ ...signed([newest]), 'webhook-signature': among })).toBe('genuine');
    const afterMany = [...Array.from({ length: 10 }, () => 'v1,wrong'), good].join(' ');
    expect(verdict({ ...signed([newest]), 'webhook-signature': afterMany })).toBe('forged');
  });
});

describe('a webhook’s secret', () => {
  it('is base64 with its prefix or without, as Secrets Manager generates it', () => {
    const generated = 'aB3'.repeat(21).concat('Z');
    expect(webhookKey(generated)).toEqual(webhookKey(`whsec_${generated}`));
    expect(webhookKey(generated)).toHaveLength(48);
  });

  it.each(['', 'whsec_', secretOf(23), 'whsec_a secret that is not base64 at all!!', `whsk_${randomBytes(32).toString('base64')}`])(
    'like %j is refused without being quoted',
    (secret) => {
      const refusing = () => webhookKey(secret);
      expect(refusing).toThrow(BadWebhookSecret);
      if (secret.length > 10) expect(refusing).not.toThrow(secret);
    },
  );
});
