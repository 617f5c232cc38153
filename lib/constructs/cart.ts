import { Construct } from 'constructs';
import { StampedeFunction } from './function.ts';
import { type Platform, redis } from './platform.ts';

/** Buyers' carts. Beside the function that places orders, which carts must never slow down, and not in the one for everything else. */
export class Cart extends Construct {
  readonly cart: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.cart = new StampedeFunction(this, 'Items', {
      platform,
      entry: 'functions/cart/cart.handler.ts',
      description: 'Fills and empties buyers’ carts',
      access: {
        sales: { actions: ['GetItem'] },
        seats: { actions: ['Query'] },
      },
      settings: [...redis, 'HOLD_SECRET'],
      // One script answers, or says that it did not, in less.
      timeoutSeconds: 15,
      memoryMegabytes: 1769,
      runbook:
        'Buyers cannot fill carts; orders that name their items go on. Units in carts come back by themselves when their time is up.',
    });
    platform.operations.show('Cart', {
      Calls: [this.cart.lambda.metricInvocations(), this.cart.lambda.metricErrors(), this.cart.lambda.metricThrottles()],
      Duration: ['p50', 'p99'].map((statistic) => this.cart.lambda.metricDuration({ statistic })),
    });
  }
}
