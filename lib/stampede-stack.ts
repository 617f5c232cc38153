import { EventBus } from 'aws-cdk-lib/aws-events';
import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { Api } from './constructs/api.ts';
import { Audit } from './constructs/audit.ts';
import type { Bundles } from './constructs/bundles.ts';
import { Docs } from './constructs/docs.ts';
import { Fulfilment } from './constructs/fulfilment.ts';
import { Identity } from './constructs/identity.ts';
import { Messaging } from './constructs/messaging.ts';
import type { Network } from './constructs/network.ts';
import { Operations } from './constructs/operations.ts';
import { Orders } from './constructs/orders.ts';
import { Payments } from './constructs/payments.ts';
import { type Platform, type Redis, settingsFrom } from './constructs/platform.ts';
import { Secrets } from './constructs/secrets.ts';
import { RebuildQueue, Stock } from './constructs/stock.ts';
import { Tables } from './constructs/tables.ts';

export interface StampedeStackProps extends StackProps {
  readonly network: Network | undefined;
  readonly redis: Redis;
  readonly bundles: Bundles;
  /** Whether it has the parts that only AWS has use for: the HTTP API with its user pool, and what watches over it all. */
  readonly isWhole: boolean;
}

/** The application: composes the capabilities, defines nothing itself. */
export class StampedeStack extends Stack {
  constructor(scope: Construct, id: string, { network, redis, bundles, isWhole, ...props }: StampedeStackProps) {
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
      settings: settingsFrom({ redis, secrets, bus, rebuilds: rebuilds.queue }),
    };

    const orders = new Orders(this, 'Orders', { platform });
    new Stock(this, 'Stock', { platform, rebuilds });
    new Payments(this, 'Payments', { platform });
    new Fulfilment(this, 'Fulfilment', { platform });
    new Messaging(this, 'Messaging', { platform });
    const audit = new Audit(this, 'Audit', { platform });
    const docs = new Docs(this, 'Docs', { platform });
    const identity = isWhole ? new Identity(this, 'Identity') : undefined;
    new Api(this, 'Api', { platform, identity, reserve: orders.reserve, audit: audit.sale, docs: docs.page });
  }
}
