import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { Cache } from './constructs/cache.ts';
import { Network } from './constructs/network.ts';

/** What is slow to create and rarely changes: the private network, and Redis in it. */
export class NetworkStack extends Stack {
  readonly network: Network;
  readonly cache: Cache;

  constructor(scope: Construct, id: string, props: StackProps = {}) {
    super(scope, id, props);
    this.network = new Network(this, 'Network');
    this.cache = new Cache(this, 'Cache', { network: this.network });
  }
}
