import { expect, it } from 'vitest';
import { TimelineEntryAnswer } from '../../../functions/operations/timeline.schemas.ts';
import { PaymentNotice } from '../../../functions/payments/webhook.schemas.ts';

// Money that nobody has asked for goes back, but it was taken: what a provider may tell, the order's timeline must be able to show.
it.each(['EUR', 'XTS', 'ZZZ'])('a payment in %s that a webhook takes can be shown by the timeline', (currency) => {
  const data = { paymentId: 'pay_1', orderId: `ord_${'A'.repeat(22)}`, amountMinor: 700, currency };
  const notice = PaymentNotice.parse({ type: 'payment.succeeded', data });
  const at = '2026-11-27T09:00:01.250Z';
  const { paymentId, amountMinor } = notice.data;
  const payment = { kind: 'payment', at, paymentId, amountMinor, currency: notice.data.currency, state: 'returned' };
  const movement = { kind: 'movement', at, name: 'return', paymentId, currency: notice.data.currency, entries: [] };
  expect(TimelineEntryAnswer.safeParse(payment).error?.message).toBeUndefined();
  expect(TimelineEntryAnswer.safeParse(movement).error?.message).toBeUndefined();
});
