import { Construct } from 'constructs';
import { Consumer } from './consumer.ts';
import type { Platform } from './platform.ts';

/** The read models: what lists show of orders, and the figures of a sale's items beside Redis. */
export class Views extends Construct {
  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    new Consumer(this, 'OrderViews', {
      platform,
      entry: 'functions/views/view.handler.ts',
      description: 'Brings what lists show up to date with orders',
      on: [{ event: 'OrderUpdated' }],
      access: { orders: { actions: ['BatchGetItem'] }, views: { actions: ['PutItem'] } },
      memoryMegabytes: 512,
      runbook: 'Lists of orders are behind; each order by itself is read as it is. The reconciler writes views anew that stay behind.',
    });
    new Consumer(this, 'StockLevels', {
      platform,
      entry: 'functions/views/stock-level.handler.ts',
      description: 'Counts what is held, sold and retired of a sale',
      on: [{ event: 'OrderUpdated', data: { movesStock: [true] } }],
      onSales: ['SaleCreated', 'StockAdjusted'],
      access: { stockLevels: { actions: ['UpdateItem'] }, inbox: { actions: ['PutItem'] } },
      // A crowd's messages are about the very same rows: counted together they cost one write of each, and few at once do not get in each other's way.
      batch: { messagesMax: 50, windowSeconds: 1, concurrencyMax: 2 },
      memoryMegabytes: 512,
      runbook: 'What is shown of a sale while Redis is away is behind. It decides nothing about selling.',
    });
  }
}
