import { defineRoute, type Route } from '../shared/route.ts';
import { PaymentNotice, WebhookHeaders } from './webhook.schemas.ts';

export const paymentWebhookRoute = defineRoute({
  operationId: 'takePaymentWebhook',
  method: 'POST',
  path: '/v1/webhooks/payments',
  access: 'public',
  tag: 'Payments',
  summary: 'Take a payment provider’s word of a payment',
  description:
    'Signed by the provider as Standard Webhooks has it. `payment.succeeded` pays the order that waits for it; one of another amount or currency, or ' +
    'for an order that no longer takes it, confirms nothing and is refunded. `payment.failed` ends an order that waits. Sent again, or in another ' +
    'order, a webhook changes nothing and is answered the same.',
  requestHeaders: WebhookHeaders,
  body: PaymentNotice,
  status: 204,
  problems: ['UNAUTHENTICATED'],
  servedBy: 'webhook',
});

export const webhookRoutes: readonly Route[] = [paymentWebhookRoute];
