import { Construct } from 'constructs';
import { StampedeFunction } from './function.ts';
import { type Platform, redis } from './platform.ts';

/** Counts a sale's units and money for operators, beside the functions that buyers use and never in their way. */
export class Audit extends Construct {
  readonly sale: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.sale = new StampedeFunction(this, 'Sale', {
      platform,
      entry: 'functions/operations/audit.handler.ts',
      description: 'Counts a sale’s units and money',
      access: {
        sales: { actions: ['GetItem'] },
        seats: { actions: ['Query'] },
        units: { actions: ['Query'] },
        orders: { actions: ['BatchGetItem'], indexes: { bySale: ['Query'] } },
        // A query for each buyer, or for very many one scan of them all.
        accounts: { actions: ['Query', 'Scan'] },
      },
      settings: redis,
      // Below the gateway's own 30 s, so that the caller gets our answer.
      timeoutSeconds: 29,
      // One whole core, which is what bounds a large sale's audit. What it keeps of 200,000 orders fits in half of it.
      memoryMegabytes: 1769,
      runbook:
        'Operators can’t see whether a sale adds up. Buyers notice nothing. Where it times out, the sale is too large for its 29 s: see Duration.',
    });
    platform.operations.show('Audit', {
      Function: [this.sale.lambda.metricInvocations(), this.sale.lambda.metricErrors(), this.sale.lambda.metricThrottles()],
      Duration: [this.sale.lambda.metricDuration({ statistic: 'Maximum' })],
    });
  }
}
