import { Construct } from 'constructs';
import { claimsUnits, freesUnits, movesMoney, movesOrders, sellsUnits } from './access.ts';
import { Consumer } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import { ourMetric } from './metrics.ts';
import { type Platform, redis } from './platform.ts';

/** Money: charges orders that are paid by balance, and takes providers' word of payments from outside. */
export class Payments extends Construct {
  readonly webhook: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    new Consumer(this, 'Payment', {
      platform,
      entry: 'functions/payments/payment.handler.ts',
      description: 'Authorises and captures payments by balance',
      on: [
        { event: 'OrderPlaced', strategy: 'charge-first', data: { paymentMethod: ['balance'] } },
        { event: 'StockReserved', strategy: 'reserve-first', data: { paymentMethod: ['balance'] } },
        { event: 'OrderConfirmed', data: { paymentState: ['authorised'] } },
      ],
      // A declined charge frees the units in the same transaction.
      access: { ...movesOrders, ...freesUnits, ...movesMoney },
      memoryMegabytes: 512,
      runbook: 'Charges are keyed by order: nobody is charged twice.',
    });
    this.webhook = new StampedeFunction(this, 'Webhook', {
      platform,
      entry: 'functions/payments/webhook.handler.ts',
      description: 'Takes payments from outside, as their providers tell of them',
      access: {
        ...movesOrders,
        ...claimsUnits,
        // A payment confirms its order, a failed one ends it, a late one gets units anew.
        units: { actions: [...sellsUnits.units.actions, ...freesUnits.units.actions, ...claimsUnits.units.actions] },
        allowances: { actions: [...freesUnits.allowances.actions, ...claimsUnits.allowances.actions] },
        // No account is touched: money from outside is entries alone.
        accounts: { actions: ['PutItem'] },
        payments: { actions: ['GetItem', 'PutItem'] },
      },
      settings: [...redis, 'PAYMENT_WEBHOOK_SECRETS'],
      // A provider waits this long at least, and sends again what was not answered.
      timeoutSeconds: 15,
      memoryMegabytes: 512,
      runbook:
        'Payments from outside are not taken: their orders expire, and what was paid for them comes in late, when providers send again. See the log for the reason. 401 alone is a secret that differs from the provider’s.',
    });
    const strays = ourMetric('PaymentsReturned', 'unknown', 'Sum');
    platform.operations.alarm(this, 'Strays', {
      metric: strays,
      runbook:
        'Somebody paid for an order that nobody knows. The webhook function’s log names payment and amount, and the ledger has both its entries under stray:<orderId>: pay it back at the provider, which may be sending another system’s payments here.',
    });
    platform.operations.show('Webhook', {
      Returned: [ourMetric('PaymentsReturned', 'known', 'Sum'), strays],
      Function: [this.webhook.lambda.metricInvocations(), this.webhook.lambda.metricErrors(), this.webhook.lambda.metricThrottles()],
      Duration: ['p50', 'p99'].map((statistic) => this.webhook.lambda.metricDuration({ statistic })),
    });
  }
}
