import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

const httpsPort = Port.tcp(443);
export const redisPort = 6379;

/**
 * A network without a way out: isolated subnets in two zones, and endpoints for the three AWS services that functions in it call.
 * No NAT, so nothing is paid by the gigabyte, and nothing that runs inside can reach the internet.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly functions: SecurityGroup;
  readonly cache: SecurityGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // A cast because the class says `string | undefined` where its interface says an optional string.
    this.vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      // 4,096 addresses a zone: every concurrent environment of a function shares its subnet's interfaces, the cache takes a few.
      subnetConfiguration: [{ name: 'Private', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
    }) as IVpc;
    this.vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });

    const group = (name: string, description: string) =>
      new SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound: false });
    this.functions = group('Functions', 'Functions that use Redis');
    this.cache = group('Cache', 'Redis');
    const endpoints = group('Endpoints', 'Interface endpoints');

    const services = { SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER, Sqs: InterfaceVpcEndpointAwsService.SQS };
    for (const [name, service] of Object.entries(services)) {
      this.vpc.addInterfaceEndpoint(name, { service, securityGroups: [endpoints], open: false });
    }

    // DynamoDB's addresses are public ones that the gateway endpoint routes, so the rule cannot name a group. The subnets lead nowhere else.
    this.functions.addEgressRule(Peer.anyIpv4(), httpsPort, 'DynamoDB, Secrets Manager and SQS');
    this.functions.addEgressRule(this.cache, Port.tcp(redisPort), 'Redis');
    this.cache.addIngressRule(this.functions, Port.tcp(redisPort), 'Redis from functions');
    endpoints.addIngressRule(this.functions, httpsPort, 'Secrets Manager and SQS from functions');
  }
}
