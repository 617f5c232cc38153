import { Match } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Properties,
  type Resource,
  roleOf,
  type Statement,
  type Synthesised,
  statementsOf,
  synthesised,
  target,
} from './synthesised.ts';

let stacks: Synthesised;
let functions: Resource[];
beforeAll(() => {
  stacks = synthesised();
  functions = stacks.of('AWS::Lambda::Function');
});
afterAll(() => stacks?.remove());

const allowed = (lambda: Resource): Statement[] => statementsOf(roleOf(lambda, stacks), stacks).filter(({ effect }) => effect === 'Allow');

/** EC2 and X-Ray know no resource for these. The former are denied to the code, the latter can only write traces. */
const withoutResource = [
  /^ec2:\w+NetworkInterfaces?$/,
  /^ec2:DescribeSubnets$/,
  /^ec2:(Assign|Unassign)PrivateIpAddresses$/,
  /^xray:Put\w+$/,
  // A sale's schedules are named from the sale: of these the resource is all of one group, in which nothing else is.
  /^scheduler:(Create|Update|Delete)Schedule$/,
];

describe('rights', () => {
  it('grants no wildcard action to anybody', () => {
    for (const role of stacks.of('AWS::IAM::Role')) {
      for (const { effect, actions } of statementsOf(role, stacks)) {
        if (effect === 'Allow')
          expect(
            actions.filter((action) => action.includes('*')),
            role.path,
          ).toEqual([]);
      }
    }
  });

  it('names the resource of every right for which AWS knows one', () => {
    for (const role of stacks.of('AWS::IAM::Role')) {
      for (const { effect, actions, resources } of statementsOf(role, stacks)) {
        if (effect !== 'Allow' || !JSON.stringify(resources).includes('*')) continue;
        expect(
          actions.filter((action) => !withoutResource.some((known) => known.test(action))),
          role.path,
        ).toEqual([]);
      }
    }
  });

  it('takes the rights over network interfaces from the code itself', () => {
    for (const lambda of functions.filter(({ properties }) => properties.VpcConfig)) {
      const statements = statementsOf(roleOf(lambda, stacks), stacks);
      const granted = statements
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ actions }) => actions.filter((each) => each.startsWith('ec2:')));
      const denied = statements.filter(({ effect }) => effect === 'Deny').flatMap(({ actions }) => actions);
      expect(granted, lambda.path).not.toEqual([]);
      expect(denied.toSorted(), lambda.path).toEqual(granted.toSorted());
    }
  });

  it('uses no managed policy: those reach further than any one function needs', () => {
    for (const { path, properties } of stacks.of('AWS::IAM::Role')) expect(properties.ManagedPolicyArns, path).toBeUndefined();
  });

  it('gives every function a role of its own', () => {
    expect(new Set(functions.map((lambda) => roleOf(lambda, stacks).id)).size).toBe(functions.length);
  });

  it('lets queues be used over TLS only, and filled by their own rule alone', () => {
    const policies = stacks.of('AWS::SQS::QueuePolicy');
    const secured = new Set(policies.flatMap(({ properties }) => properties.Queues.map(target)));
    for (const queue of stacks.of('AWS::SQS::Queue')) expect(secured, queue.path).toContain(queue.id);
    for (const { path, properties } of policies) {
      const statements: Properties[] = properties.PolicyDocument.Statement;
      expect(
        statements.filter(({ Effect }) => Effect === 'Deny'),
        path,
      ).toMatchObject([{ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }]);
      for (const statement of statements.filter(({ Effect }) => Effect === 'Allow')) {
        expect(statement, path).toMatchObject({
          Action: expect.not.stringContaining('*'),
          Condition: { ArnEquals: { 'aws:SourceArn': expect.anything() } },
        });
      }
    }
  });
});

describe('secrets', () => {
  const readersOf = (isSecret: (id: string) => boolean) =>
    functions
      .filter((lambda) =>
        allowed(lambda).some(
          ({ actions, resources }) => actions.includes('secretsmanager:GetSecretValue') && resources.some((each) => isSecret(target(each))),
        ),
      )
      .map(({ path }) => path.replace(/\/Function$/, ''))
      .sort();
  const secret = (path: string) => {
    const found = stacks.of('AWS::SecretsManager::Secret').find((each) => each.path === path);
    if (!found) throw new Error(`no secret ${path}`);
    return found;
  };

  it('lets only those read the hold key who place orders or fill the carts that become orders', () => {
    expect(readersOf((id) => id === secret('Secrets/Hold').id)).toEqual(['Cart/Items', 'Graphql/Api', 'Orders/Reserve']);
  });

  it('lets only those read the ticket key who issue or check tickets', () => {
    expect(readersOf((id) => id === secret('Secrets/Ticket').id)).toEqual([
      'Api/Functions',
      'Fulfilment/Fulfilment/Consumer',
      'Orders/Sweeper/Sweep',
    ]);
  });

  it('lets only the function that takes webhooks read what they are signed with', () => {
    expect(readersOf((id) => id === secret('Secrets/Webhook').id)).toEqual(['Payments/Webhook']);
  });

  it('lets only functions in the network read the cache’s password', () => {
    const inNetwork = functions.filter(({ properties }) => properties.VpcConfig).map(({ path }) => path.replace(/\/Function$/, ''));
    expect(readersOf((id) => id.includes('CacheAuthToken'))).toEqual(inNetwork.sort());
  });

  it('writes no secret into a template: each is generated where it lives', () => {
    expect(stacks.of('AWS::SecretsManager::Secret')).toHaveLength(4);
    for (const { path, properties } of stacks.of('AWS::SecretsManager::Secret')) {
      expect(properties.SecretString, path).toBeUndefined();
      expect(properties.GenerateSecretString, path).toMatchObject({ GenerateStringKey: 'current', PasswordLength: 64 });
    }
  });

  it('keeps the keys that orders, tickets and providers depend on when the stack is deleted', () => {
    for (const path of ['Secrets/Hold', 'Secrets/Ticket', 'Secrets/Webhook']) expect(secret(path).deletionPolicy, path).toBe('Retain');
  });
});

describe('data', () => {
  it('keeps, encrypts and can restore every table', () => {
    const tables = stacks.of('AWS::DynamoDB::Table');
    expect(tables).not.toHaveLength(0);
    for (const { path, properties, deletionPolicy } of tables) {
      expect(properties, path).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        SSESpecification: { SSEEnabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
      expect(deletionPolicy, path).toBe('Retain');
    }
  });

  it('encrypts every queue', () => {
    for (const { path, properties } of stacks.of('AWS::SQS::Queue')) expect(properties.SqsManagedSseEnabled, path).toBe(true);
  });
});

describe('network and cache', () => {
  it('has no way out: no NAT, no internet gateway, no public subnet', () => {
    for (const type of ['AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway', 'AWS::EC2::EIP']) expect(stacks.of(type), type).toEqual([]);
    const subnets = stacks.of('AWS::EC2::Subnet');
    expect(subnets).toHaveLength(2);
    for (const { path, properties } of subnets) expect(properties.MapPublicIpOnLaunch, path).toBe(false);
  });

  it('reaches DynamoDB, Secrets Manager and SQS by endpoints, which is all that functions in it call', () => {
    const endpoints = stacks
      .of('AWS::EC2::VPCEndpoint')
      .map(({ properties }) => [properties.VpcEndpointType, JSON.stringify(properties.ServiceName)]);
    expect(endpoints).toEqual([
      ['Gateway', expect.stringContaining('dynamodb')],
      ['Interface', expect.stringContaining('secretsmanager')],
      ['Interface', expect.stringContaining('sqs')],
    ]);
    const called = functions
      .filter(({ properties }) => properties.VpcConfig)
      .flatMap((lambda) => allowed(lambda).flatMap(({ actions }) => actions));
    // Queues are read, logs and traces written, and interfaces attached by Lambda itself, from outside of the network.
    const byLambda = /^(logs|xray|ec2):|^sqs:(?!SendMessage$)/;
    const services = new Set(called.filter((action) => !byLambda.test(action)).map((action) => action.split(':')[0]));
    expect(services).toEqual(new Set(['dynamodb', 'secretsmanager', 'sqs']));
  });

  it('lets nobody but the functions reach Redis', () => {
    const inbound = stacks.of('AWS::EC2::SecurityGroupIngress').map(({ properties }) => properties);
    const groups = stacks.of('AWS::EC2::SecurityGroup');
    for (const { path, properties } of groups) expect(properties.SecurityGroupIngress, path).toBeUndefined();
    expect(inbound.map(({ FromPort, CidrIp }) => [FromPort, CidrIp]).sort()).toEqual([
      [443, undefined],
      [6379, undefined],
    ]);
  });

  it('runs Redis encrypted, with a password, over two zones, and never evicting stock', () => {
    stacks.network.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      Engine: 'redis',
      ClusterMode: 'enabled',
      AutomaticFailoverEnabled: true,
      MultiAZEnabled: true,
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
      ReplicasPerNodeGroup: Match.anyValue(),
      AuthToken: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('resolve:secretsmanager')])] },
    });
    stacks.network.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
      Properties: { 'maxmemory-policy': 'noeviction', 'cluster-enabled': 'yes' },
    });
  });
});
