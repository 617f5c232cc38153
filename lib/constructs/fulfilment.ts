import { Construct } from 'constructs';
import { movesOrders } from './access.ts';
import { Consumer } from './consumer.ts';
import type { Platform } from './platform.ts';

/** Issues the tickets of a paid order. */
export class Fulfilment extends Construct {
  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    new Consumer(this, 'Fulfilment', {
      platform,
      entry: 'functions/fulfilment/fulfil.handler.ts',
      description: 'Issues signed tickets',
      // Of an order that was paid before it was confirmed, its confirmation is what it waits for.
      on: [{ event: 'PaymentCaptured' }, { event: 'OrderConfirmed', data: { paymentState: ['captured'] } }],
      access: { ...movesOrders, fulfilments: { actions: ['PutItem'] } },
      settings: ['TICKET_SECRET'],
      memoryMegabytes: 512,
      runbook: 'Buyers have paid and wait for their tickets.',
    });
  }
}
