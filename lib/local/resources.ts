import * as z from 'zod';

/**
 * What the embedded runtime reads of each resource type that it hosts. Strict: a property that is in no list is an error at start, because
 * it may change behaviour. `settled` names the properties whose effect a laptop has no use for (encryption, tags, logs, …).
 */
const settled = <Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, z.unknown().optional()])) as Record<Name, z.ZodOptional<z.ZodUnknown>>;

/** Templates carry numbers and booleans as either. */
const int = z.coerce.number().int();
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);

const keySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const projection = z.strictObject({
  ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
  NonKeyAttributes: z.array(z.string()).optional(),
});

export const hosted = {
  'AWS::DynamoDB::Table': z.strictObject({
    TableName: z.string().optional(),
    KeySchema: keySchema,
    AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
    GlobalSecondaryIndexes: z
      .array(
        z.strictObject({
          IndexName: z.string(),
          KeySchema: keySchema,
          Projection: projection,
          ...settled('ProvisionedThroughput', 'WarmThroughput'),
        }),
      )
      .default([]),
    StreamSpecification: z
      .strictObject({ StreamViewType: z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']) })
      .optional(),
    // Nothing is deleted by its age here: whoever reads compares the time itself, as it must in AWS too, where deletion takes days.
    ...settled(
      'TimeToLiveSpecification',
      'BillingMode',
      'SSESpecification',
      'PointInTimeRecoverySpecification',
      'DeletionProtectionEnabled',
      'Tags',
    ),
    ...settled('WarmThroughput', 'ContributorInsightsSpecification'),
  }),
  'AWS::SQS::Queue': z.strictObject({
    QueueName: z.string().optional(),
    VisibilityTimeout: int.default(30),
    DelaySeconds: int.default(0),
    RedrivePolicy: z.strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: int.positive() }).optional(),
    ...settled(
      'MessageRetentionPeriod',
      'SqsManagedSseEnabled',
      'KmsMasterKeyId',
      'ReceiveMessageWaitTimeSeconds',
      'MaximumMessageSize',
      'Tags',
    ),
    ...settled('RedriveAllowPolicy'),
  }),
  'AWS::Lambda::Function': z.strictObject({
    FunctionName: z.string().optional(),
    Code: z.strictObject({ S3Bucket: z.unknown(), S3Key: z.string() }),
    Handler: z.string(),
    Runtime: z.string(),
    Timeout: int.default(3),
    MemorySize: int.default(128),
    Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()).default({}) }).default({ Variables: {} }),
    ...settled(
      'Architectures',
      'Role',
      'Description',
      'LoggingConfig',
      'TracingConfig',
      'VpcConfig',
      'Tags',
      'EphemeralStorage',
      'DeadLetterConfig',
    ),
    ...settled('ReservedConcurrentExecutions', 'RecursiveLoop', 'SnapStart'),
  }),
  // What runs here is the one code that there is, whatever a version of it is called.
  'AWS::Lambda::Version': z.strictObject({ FunctionName: z.string(), ...settled('Description', 'CodeSha256') }),
  'AWS::Lambda::Alias': z.strictObject({
    FunctionName: z.string(),
    FunctionVersion: z.string(),
    Name: z.string(),
    ...settled('Description'),
  }),
  'AWS::Lambda::EventSourceMapping': z.strictObject({
    EventSourceArn: z.string(),
    FunctionName: z.string(),
    BatchSize: int.positive().optional(),
    MaximumBatchingWindowInSeconds: int.default(0),
    FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
    StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).optional(),
    BisectBatchOnFunctionError: flag.default(false),
    MaximumRetryAttempts: int.default(-1),
    MaximumRecordAgeInSeconds: int.default(-1),
    ParallelizationFactor: int.min(1).max(10).default(1),
    DestinationConfig: z.strictObject({ OnFailure: z.strictObject({ Destination: z.string() }) }).optional(),
    ScalingConfig: z.strictObject({ MaximumConcurrency: int.positive() }).optional(),
    FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })) }).optional(),
    Enabled: flag.default(true),
    ...settled('Tags', 'MetricsConfig'),
  }),
  'AWS::Events::EventBus': z.strictObject({
    Name: z.string(),
    ...settled('Description', 'Tags', 'DeadLetterConfig', 'KmsKeyIdentifier', 'LogConfig'),
  }),
  'AWS::Events::Rule': z.strictObject({
    EventBusName: z.string().default('default'),
    EventPattern: z.record(z.string(), z.unknown()).optional(),
    ScheduleExpression: z.string().optional(),
    State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    // Delivery happens before the caller has its answer, and whoever could not deliver says so: nothing is left to retry or to bury.
    Targets: z
      .array(
        z.strictObject({
          Arn: z.string(),
          Id: z.string(),
          Input: z.string().optional(),
          ...settled('DeadLetterConfig', 'RetryPolicy', 'RoleArn'),
        }),
      )
      .default([]),
    ...settled('Name', 'Description', 'Tags'),
  }),
  'AWS::Scheduler::Schedule': z.strictObject({
    ScheduleExpression: z.string(),
    State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    // A run that fails is followed by the next one.
    Target: z.strictObject({ Arn: z.string(), Input: z.string().default('{}'), ...settled('RoleArn', 'RetryPolicy', 'DeadLetterConfig') }),
    ...settled('Name', 'Description', 'GroupName', 'FlexibleTimeWindow', 'ScheduleExpressionTimezone', 'KmsKeyArn'),
  }),
  'AWS::Scheduler::ScheduleGroup': z.strictObject({ Name: z.string().optional(), ...settled('Tags') }),
  'AWS::SecretsManager::Secret': z.strictObject({
    Name: z.string().optional(),
    SecretString: z.string().optional(),
    GenerateSecretString: z
      .strictObject({
        SecretStringTemplate: z.string().optional(),
        GenerateStringKey: z.string().optional(),
        PasswordLength: int.positive().default(32),
        // Only letters and digits are generated here, which keeps within every exclusion but these two.
        ...settled('ExcludePunctuation', 'ExcludeCharacters', 'IncludeSpace', 'RequireEachIncludedType'),
      })
      .optional(),
    ...settled('Description', 'KmsKeyId', 'Tags', 'ReplicaRegions'),
  }),
  'AWS::ApiGatewayV2::Api': z.strictObject({
    ProtocolType: z.literal('HTTP'),
    CorsConfiguration: z
      .strictObject({
        AllowOrigins: z.array(z.string()).default([]),
        AllowMethods: z.array(z.string()).default([]),
        AllowHeaders: z.array(z.string()).default([]),
        ExposeHeaders: z.array(z.string()).default([]),
        AllowCredentials: flag.default(false),
        MaxAge: int.optional(),
      })
      .optional(),
    ...settled('Name', 'Description', 'Tags', 'DisableExecuteApiEndpoint', 'IpAddressType', 'Version'),
  }),
  'AWS::ApiGatewayV2::Stage': z.strictObject({
    ApiId: z.string(),
    StageName: z.literal('$default'),
    DefaultRouteSettings: z
      .strictObject({
        ThrottlingRateLimit: z.coerce.number().positive().optional(),
        ThrottlingBurstLimit: int.positive().optional(),
        ...settled('DetailedMetricsEnabled'),
      })
      .default({}),
    ...settled('AutoDeploy', 'AccessLogSettings', 'Description', 'Tags'),
  }),
  'AWS::ApiGatewayV2::Integration': z.strictObject({
    ApiId: z.string(),
    IntegrationType: z.literal('AWS_PROXY'),
    IntegrationUri: z.string(),
    PayloadFormatVersion: z.literal('2.0'),
    TimeoutInMillis: int.default(30_000),
    ...settled('Description', 'IntegrationMethod'),
  }),
  'AWS::ApiGatewayV2::Route': z.strictObject({
    ApiId: z.string(),
    RouteKey: z.string(),
    Target: z.string(),
    AuthorizationType: z.enum(['NONE', 'JWT']).default('NONE'),
    AuthorizerId: z.string().optional(),
    AuthorizationScopes: z.array(z.string()).default([]),
    ...settled('OperationName'),
  }),
  'AWS::ApiGatewayV2::Authorizer': z.strictObject({
    ApiId: z.string(),
    AuthorizerType: z.literal('JWT'),
    IdentitySource: z.tuple([z.literal('$request.header.Authorization')]),
    JwtConfiguration: z.strictObject({ Audience: z.array(z.string()).min(1), Issuer: z.string().min(1) }),
    ...settled('Name'),
  }),
};

export type HostedType = keyof typeof hosted;
export type Hosted<Type extends HostedType> = z.infer<(typeof hosted)[Type]>;

/**
 * Types with nothing to host: permissions (here everybody may), the network, what watches and logs, and what another part stands in for
 * (the cache by our own Redis, the user pool by the embedded issuer).
 */
const passedOver: readonly RegExp[] = [
  /^AWS::IAM::(Role|Policy|ManagedPolicy)$/,
  /^AWS::Lambda::(Permission|EventInvokeConfig)$/,
  /^AWS::SQS::QueuePolicy$/,
  /^AWS::Events::EventBusPolicy$/,
  /^AWS::SecretsManager::ResourcePolicy$/,
  /^AWS::ApiGateway::Account$/,
  /^AWS::(Logs|CloudWatch|XRay)::\w+$/,
  // Alarms go to a topic that people subscribe to; no function listens to one.
  /^AWS::SNS::(Topic|TopicPolicy|Subscription)$/,
  /^AWS::EC2::\w+$/,
  /^AWS::ElastiCache::\w+$/,
  /^AWS::Cognito::\w+$/,
  /^AWS::KMS::(Key|Alias)$/,
  /^AWS::CDK::Metadata$/,
];

export const isHosted = (type: string): type is HostedType => Object.hasOwn(hosted, type);
export const isPassedOver = (type: string): boolean => passedOver.some((known) => known.test(type));
