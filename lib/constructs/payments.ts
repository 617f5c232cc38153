import { Construct } from 'constructs';
import { freesUnits, movesMoney, movesOrders } from './access.ts';
import { Consumer } from './consumer.ts';
import type { Platform } from './platform.ts';

/** Charging: authorises a reserved order that is paid by balance, captures a confirmed one. */
export class Payments extends Construct {
  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    new Consumer(this, 'Payment', {
      platform,
      entry: 'functions/payments/payment.handler.ts',
      description: 'Authorises and captures payments by balance',
      on: [{ event: 'StockReserved', data: { paymentMethod: ['balance'] } }, { event: 'OrderConfirmed' }],
      // A declined charge frees the units in the same transaction.
      access: { ...movesOrders, ...freesUnits, ...movesMoney },
      memoryMegabytes: 512,
      runbook: 'Charges are keyed by order: nobody is charged twice.',
    });
  }
}
