import * as z from 'zod';
import { OutsideCurrency } from '../shared/money.ts';

const identifier = (description: string, example: string) =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .meta({ description, example });

/** The largest amount that is believed: sums of anything that one sale can meet stay exact integers. */
const amountMinorMax = 1_000_000_000_000;

/**
 * What a provider tells. Unlike bodies of our own callers, it may have more members than these: a provider adds to its events whenever it likes, and
 * money must not be turned away for it.
 */
export const PaymentNotice = z
  .object({
    type: z.enum(['payment.succeeded', 'payment.failed']),
    data: z.object({
      paymentId: identifier('The provider’s name of the payment: each is taken once for its order.', 'pay_5f0c2a'),
      orderId: identifier('The order that the payment is for.', 'ord_mHcBvGJ0Q2yQxg5vJ6yYdw'),
      amountMinor: z.int().min(0).max(amountMinorMax).meta({ description: 'In minor units of `currency`.', example: 4_999 }),
      currency: OutsideCurrency,
    }),
  })
  .meta({ id: 'PaymentNotice', description: 'A payment from outside, as its provider tells of it. Members beside these are ignored.' });
export type PaymentNotice = z.output<typeof PaymentNotice>;

/** What a signed request carries beside its body. Who serves it checks them, and refuses what is missing as unsigned. */
export const WebhookHeaders = z.object({
  'webhook-id': z.string().meta({ description: 'Names the event; a repeat has the same.', example: 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W' }),
  'webhook-timestamp': z
    .string()
    .meta({ description: 'When it was sent, in Unix seconds; at most 300 from now, in either direction.', example: '1674087231' }),
  'webhook-signature': z.string().meta({
    description: 'Signatures of `id.timestamp.body`, separated by spaces, each `v1,` and base64 of HMAC-SHA256. One good one is enough.',
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  }),
});
