import { describe, expect, it } from 'vitest';
import { assemble } from '../../../lib/local/assembly.ts';
import { Template } from '../../../lib/local/intrinsics.ts';

type Templates = Readonly<Record<string, Record<string, unknown>>>;

const assembled = (templates: Templates, parameters: Record<string, string> = {}) =>
  assemble(
    {
      stacks: Object.entries(templates).map(([name, template]) => ({ name, template: Template.parse({ Resources: {}, ...template }) })),
      codeDirectory: (stack, key) => (key === 'code.zip' ? `/assets/${stack}` : undefined),
    },
    { parameters, queueUrl: (name) => `http://queues/${name}` },
  );

const lambda = (variables: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'b', S3Key: 'code.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Environment: { Variables: variables },
    ...rest,
  },
});

const variablesOf = (variables: Record<string, unknown>, rest: Record<string, unknown> = {}, parameters: Record<string, string> = {}) =>
  assembled({ App: { ...rest, Resources: { ...(rest.Resources ?? {}), Fn: lambda(variables) } } }, parameters).functions[0]?.properties
    .Environment.Variables;

const table = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  },
};

describe('intrinsic functions', () => {
  it('resolve references to resources, their attributes and addresses', () => {
    const queue = { Type: 'AWS::SQS::Queue', Properties: {} };
    expect(
      variablesOf(
        {
          TABLE: { Ref: 'Orders' },
          ARN: { 'Fn::GetAtt': ['Orders', 'Arn'] },
          URL: { Ref: 'Work' },
          NAME: { 'Fn::GetAtt': 'Work.QueueName' },
        },
        { Resources: { Orders: table, Work: queue } },
      ),
    ).toEqual({
      TABLE: 'App-Orders',
      ARN: 'arn:aws:dynamodb:eu-central-1:000000000000:table/App-Orders',
      URL: 'http://queues/App-Work',
      NAME: 'App-Work',
    });
  });

  it('join, split, select and substitute, nested in each other', () => {
    expect(
      variablesOf({
        JOINED: { 'Fn::Join': ['-', ['a', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'x/y/z'] }] }, { Ref: 'AWS::Region' }]] },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own placeholders
        SUBSTITUTED: { 'Fn::Sub': ['${AWS::Partition}:${Own}:${!Literal}', { Own: { Ref: 'AWS::StackName' } }] },
      }),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own placeholders
    ).toEqual({ JOINED: 'a-y-eu-central-1', SUBSTITUTED: 'aws:App:${Literal}' });
  });

  it('choose by conditions over parameters, and leave out what has no value', () => {
    const rest = {
      Parameters: { Issuer: { Type: 'String', Default: '' }, Zones: { Type: 'CommaDelimitedList', Default: 'a,b' } },
      Conditions: {
        Given: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Issuer' }, ''] }] },
        Both: { 'Fn::And': [{ Condition: 'Given' }, { 'Fn::Or': [{ Condition: 'Given' }] }] },
      },
    };
    const variables = {
      WHO: { 'Fn::If': ['Given', { Ref: 'Issuer' }, 'nobody'] },
      MAYBE: { 'Fn::If': ['Both', 'set', { Ref: 'AWS::NoValue' }] },
      ZONE: { 'Fn::Select': [1, { Ref: 'Zones' }] },
    };
    expect(variablesOf(variables, rest)).toEqual({ WHO: 'nobody', ZONE: 'b' });
    expect(variablesOf(variables, rest, { Issuer: 'me' })).toEqual({ WHO: 'me', MAYBE: 'set', ZONE: 'b' });
  });

  it('reach into another stack through what it exports', () => {
    const network = {
      Resources: { Cache: { Type: 'AWS::ElastiCache::ReplicationGroup' } },
      Outputs: { Address: { Value: { 'Fn::GetAtt': ['Cache', 'Address'] }, Export: { Name: { 'Fn::Sub': 'the-cache' } } } },
    };
    const app = { Resources: { Fn: lambda({ CACHE: { 'Fn::ImportValue': 'the-cache' } }) } };
    expect(assembled({ Network: network, App: app }).functions[0]?.properties.Environment.Variables).toEqual({ CACHE: 'Cache.Address' });
  });

  it.each([
    { what: 'a reference to nothing', value: { Ref: 'Nobody' }, said: /App\/Fn: nothing is called Nobody/ },
    { what: 'an attribute that is not known', value: { 'Fn::GetAtt': ['Orders', 'Secret'] }, said: /App\/Orders .*Secret/ },
    { what: 'a function that is not known', value: { 'Fn::Cidr': ['10.0.0.0/8', 2, 8] }, said: /App\/Fn: .*Fn::Cidr/ },
    { what: 'an import that nobody exports', value: { 'Fn::ImportValue': 'nowhere' }, said: /nowhere/ },
    { what: 'a parameter without a value', value: { Ref: 'Needed' }, said: /Needed has no value/ },
  ])('refuse $what, naming the place', ({ value, said }) => {
    const rest = { Parameters: { Needed: { Type: 'String' } }, Resources: { Orders: table } };
    expect(() => variablesOf({ VALUE: value }, rest)).toThrow(said);
  });
});

describe('an assembly', () => {
  it('refuses a resource type that it does not know, by the name of the resource', () => {
    expect(() => assembled({ App: { Resources: { Robot: { Type: 'AWS::StepFunctions::StateMachine' } } } })).toThrow(
      /App\/Robot: .*AWS::StepFunctions::StateMachine/,
    );
  });

  it('refuses a property that may matter, by the names of both', () => {
    const bent = { Resources: { Fn: lambda({}, { Layers: ['arn:of:a:layer'] }) } };
    expect(() => assembled({ App: bent })).toThrow(/App\/Fn .*[\s\S]*Layers/);
  });

  it('leaves out what a condition leaves out, whatever it is', () => {
    const template = {
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { Robot: { Type: 'Unheard::Of::It', Condition: 'Never' }, Orders: table },
    };
    expect(assembled({ App: template }).tables.map(({ name }) => name)).toEqual(['App-Orders']);
  });

  it('refuses a parameter that no template has, and code that is not there', () => {
    expect(() => assembled({ App: {} }, { Isuer: 'me' })).toThrow(/Isuer/);
    expect(() => assembled({ App: { Resources: { Fn: lambda({}, { Code: { S3Bucket: 'b', S3Key: 'gone.zip' } }) } } })).toThrow(
      /App\/Fn: its code/,
    );
  });

  it('finds a function’s code by the key that its template names', () => {
    expect(assembled({ App: { Resources: { Fn: lambda({}) } } }).functions[0]?.codeDirectory).toBe('/assets/App');
  });
});
