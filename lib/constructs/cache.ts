import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnParameter } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type Network, redisPort } from './network.ts';
import type { Redis } from './platform.ts';
import { generatedKeys } from './secrets.ts';

/**
 * Redis in cluster mode: one sale lives on one shard, many sales spread over them. Encrypted on the wire and at rest, with a password,
 * a replica of each shard in the other zone, and no eviction: stock that Redis dropped to make room would be a sale that stops.
 */
export class Cache extends Construct implements Redis {
  readonly url: string;
  readonly mode = 'cluster';
  readonly authSecret: Secret;

  constructor(scope: Construct, id: string, { network }: { readonly network: Network }) {
    super(scope, id);
    const nodeType = new CfnParameter(this, 'NodeType', { default: 'cache.m7g.large', description: 'Node type of the cache' });
    const shards = new CfnParameter(this, 'Shards', { type: 'Number', default: 2, minValue: 1, description: 'Shards of the cache' });

    this.authSecret = new Secret(this, 'AuthToken', {
      description: 'Password of the cache',
      generateSecretString: { ...generatedKeys, passwordLength: 64 },
    });
    const parameters = new CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: 'redis7',
      description: 'Redis that refuses writes rather than forgetting stock',
      properties: { 'cluster-enabled': 'yes', 'maxmemory-policy': 'noeviction' },
    });
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Private subnets of the cache',
      subnetIds: network.vpc.isolatedSubnets.map((subnet) => subnet.subnetId),
    });
    const group = new CfnReplicationGroup(this, 'Redis', {
      replicationGroupDescription: 'Stock of live sales',
      engine: 'redis',
      engineVersion: '7.1',
      cacheNodeType: nodeType.valueAsString,
      clusterMode: 'enabled',
      numNodeGroups: shards.valueAsNumber,
      replicasPerNodeGroup: 1,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      authToken: this.authSecret.secretValueFromJson('current').unsafeUnwrap(),
      cacheParameterGroupName: parameters.ref,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [network.cache.securityGroupId],
      port: redisPort,
      // Redis is disposable: the unit rows decide, and a snapshot would only be older than they are.
      snapshotRetentionLimit: 0,
    });
    // More shards are added to the cache that there is: a new one would come up empty.
    group.cfnOptions.updatePolicy = { useOnlineResharding: true };
    this.url = `rediss://${group.attrConfigurationEndPointAddress}:${group.attrConfigurationEndPointPort}`;
  }
}
