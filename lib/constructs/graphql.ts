import { Construct } from 'constructs';
import { freesUnits, movesMoney, movesOrders, watchesRedis } from './access.ts';
import { StampedeFunction } from './function.ts';
import { type Platform, redis } from './platform.ts';

/** GraphQL beside the routes: it does what they do, with the rights of those few that stand behind its fields. */
export class Graphql extends Construct {
  readonly api: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.api = new StampedeFunction(this, 'Api', {
      platform,
      entry: 'functions/graphql/graphql.handler.ts',
      description: 'Serves GraphQL: reading, placing and cancelling orders',
      access: {
        ...movesOrders,
        products: { actions: ['GetItem', 'Scan'] },
        sales: { actions: ['GetItem', 'Scan'] },
        seats: { actions: ['Query'] },
        stockLevels: { actions: ['Query'] },
        views: { actions: ['BatchGetItem'], indexes: { byBuyer: ['Query'], bySale: ['Query'], byTime: ['Query'] } },
        // As placing an order: claims units and slots; whose they are is read only when somebody else has them. And as cancelling one.
        units: { actions: ['PutItem', 'BatchGetItem', ...freesUnits.units.actions] },
        ...watchesRedis,
        allowances: { actions: ['PutItem', 'Query', ...freesUnits.allowances.actions] },
        accounts: { actions: [...movesMoney.accounts.actions, 'GetItem'] },
      },
      settings: [...redis, 'HOLD_SECRET'],
      // Below the gateway's own 30 s, so that the caller gets our answer.
      timeoutSeconds: 29,
      // One whole core, as for placing orders.
      memoryMegabytes: 1769,
      runbook: 'GraphQL answers 503. The same can be done by the other routes; a retry with the same key is safe.',
    });
    platform.operations.show('GraphQL', {
      Calls: [this.api.lambda.metricInvocations(), this.api.lambda.metricErrors(), this.api.lambda.metricThrottles()],
      Duration: ['p50', 'p99'].map((statistic) => this.api.lambda.metricDuration({ statistic })),
    });
  }
}
