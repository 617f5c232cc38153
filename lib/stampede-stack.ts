import { EventBus } from 'aws-cdk-lib/aws-events';
import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { Api } from './constructs/api.ts';
import { Audit } from './constructs/audit.ts';
import type { Bundles } from './constructs/bundles.ts';
import { Capacity } from './constructs/capacity.ts';
import { Cart } from './constructs/cart.ts';
import { Contention } from './constructs/contention.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { Docs } from './constructs/docs.ts';
import { Fulfilment } from './constructs/fulfilment.ts';
import { Graphql } from './constructs/graphql.ts';
import { Identity } from './constructs/identity.ts';
import { Messaging } from './constructs/messaging.ts';
import type { Network } from './constructs/network.ts';
import { Operations } from './constructs/operations.ts';
import { Orders } from './constructs/orders.ts';
import type { OutboxPublishers } from './constructs/outbox-publishers.ts';
import { Payments } from './constructs/payments.ts';
import { type Platform, type Redis, settingsFrom } from './constructs/platform.ts';
import { Reconciliation } from './constructs/reconciliation.ts';
import { Secrets } from './constructs/secrets.ts';
import { RebuildQueue, Stock } from './constructs/stock.ts';
import { Tables } from './constructs/tables.ts';
import { Views } from './constructs/views.ts';

export interface StampedeStackProps extends StackProps {
  readonly network: Network | undefined;
  readonly redis: Redis;
  readonly bundles: Bundles;
  readonly publishers: OutboxPublishers;
  /** Whether it has the parts that only AWS has use for: the HTTP API with its user pool, and what watches over it all. */
  readonly isWhole: boolean;
}

/** The application: composes the capabilities, defines nothing itself. */
export class StampedeStack extends Stack {
  constructor(scope: Construct, id: string, { network, redis, bundles, publishers, isWhole, ...props }: StampedeStackProps) {
    super(scope, id, props);
    const secrets = new Secrets(this, 'Secrets');
    const bus = new EventBus(this, 'Bus');
    const rebuilds = new RebuildQueue(this, 'Rebuilds');
    const platform: Platform = {
      network,
      tables: new Tables(this, 'Tables'),
      bus,
      bundles,
      operations: new Operations(this, 'Operations', { isWatched: isWhole }),
      settings: settingsFrom({ redis, secrets, bus, rebuilds: rebuilds.queue, outboxMode: publishers.writes }),
    };

    const orders = new Orders(this, 'Orders', { platform });
    const cart = new Cart(this, 'Cart', { platform });
    new Stock(this, 'Stock', { platform, rebuilds });
    const payments = new Payments(this, 'Payments', { platform });
    new Fulfilment(this, 'Fulfilment', { platform });
    new Messaging(this, 'Messaging', { platform, publishers });
    new Views(this, 'Views', { platform });
    const audit = new Audit(this, 'Audit', { platform });
    const docs = new Docs(this, 'Docs', { platform });
    const graphql = new Graphql(this, 'Graphql', { platform });
    const reconciliation = new Reconciliation(this, 'Reconciliation', { platform });
    const capacity = new Capacity(this, 'Capacity', { platform, reserve: orders.reserve });
    new Contention(this, 'Contention', { operations: platform.operations });
    const deadLetters = new DeadLetters(this, 'DeadLetters', { platform });
    const identity = isWhole ? new Identity(this, 'Identity') : undefined;
    new Api(this, 'Api', {
      platform,
      identity,
      reserve: capacity.reserve,
      cart: cart.cart,
      audit: audit.sale,
      docs: docs.page,
      graphql: graphql.api,
      webhook: payments.webhook,
      operations: deadLetters.function,
      reconciliation: reconciliation.requests,
    });
  }
}
