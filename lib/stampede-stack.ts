import { EventBus } from 'aws-cdk-lib/aws-events';
import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { Api } from './constructs/api.ts';
import type { Bundles } from './constructs/bundles.ts';
import { Fulfilment } from './constructs/fulfilment.ts';
import { Identity } from './constructs/identity.ts';
import { Messaging } from './constructs/messaging.ts';
import { Operations } from './constructs/operations.ts';
import { Orders } from './constructs/orders.ts';
import { Payments } from './constructs/payments.ts';
import { type Platform, settingsFrom } from './constructs/platform.ts';
import { Secrets } from './constructs/secrets.ts';
import { Tables } from './constructs/tables.ts';
import type { NetworkStack } from './network-stack.ts';

export interface StampedeStackProps extends StackProps {
  readonly network: NetworkStack;
  readonly bundles: Bundles;
}

/** The application: composes the capabilities, defines nothing itself. */
export class StampedeStack extends Stack {
  constructor(scope: Construct, id: string, { network, bundles, ...props }: StampedeStackProps) {
    super(scope, id, props);
    const secrets = new Secrets(this, 'Secrets');
    const bus = new EventBus(this, 'Bus');
    const platform: Platform = {
      network: network.network,
      tables: new Tables(this, 'Tables'),
      bus,
      bundles,
      operations: new Operations(this, 'Operations'),
      settings: settingsFrom({ cache: network.cache, secrets, bus }),
    };

    const orders = new Orders(this, 'Orders', { platform });
    new Payments(this, 'Payments', { platform });
    new Fulfilment(this, 'Fulfilment', { platform });
    new Messaging(this, 'Messaging', { platform });
    new Api(this, 'Api', { platform, identity: new Identity(this, 'Identity'), reserve: orders.reserve });
  }
}
