import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../lib/app.ts';
import { emulatedName } from '../../lib/localstack/names.ts';
import { type Properties, type Synthesised, synthesised } from './synthesised.ts';

let onAws: Synthesised;
let directory: string;
let resources: [id: string, resource: Properties][];
beforeAll(() => {
  onAws = synthesised();
  directory = mkdtempSync(join(tmpdir(), 'stampede-stack-'));
  buildApp({ outdir: directory, host: 'emulator' }).synth();
  resources = Object.entries<Properties>(JSON.parse(readFileSync(join(directory, 'Stampede.template.json'), 'utf8')).Resources);
});
afterAll(() => {
  onAws?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const of = (type: string) => resources.filter(([, { Type }]) => Type === type);

describe('the application for an emulator', () => {
  it('is one stack: no network, no cache, no gateway, no user pool, nobody who watches', () => {
    const { artifacts } = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
    const stacks = Object.entries<Properties>(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
    expect(stacks.map(([name]) => name)).toEqual(['Stampede']);
    const types = new Set(resources.map(([, { Type }]) => Type));
    const notThere = [...types].filter((type) =>
      /^AWS::(EC2|ElastiCache|ApiGatewayV2|Cognito|CloudWatch)::|EventInvokeConfig/.test(String(type)),
    );
    expect(notThere).toEqual([]);
    expect(JSON.stringify(resources)).not.toMatch(/VpcConfig|NetworkInterface|Fn::ImportValue/);
  });

  it.each([
    'AWS::DynamoDB::Table',
    'AWS::SQS::Queue',
    'AWS::Events::EventBus',
    'AWS::Events::Rule',
    'AWS::Lambda::Function',
    'AWS::Lambda::EventSourceMapping',
    'AWS::Scheduler::Schedule',
  ])('has every %s that AWS gets, under the same id', (type) => {
    expect(
      of(type)
        .map(([id]) => id)
        .sort(),
    ).toEqual(
      onAws
        .of(type)
        .map(({ id }) => id)
        .sort(),
    );
    expect(of(type)).not.toHaveLength(0);
  });

  it.each(['AWS::DynamoDB::Table', 'AWS::SQS::Queue', 'AWS::Events::Rule', 'AWS::Lambda::EventSourceMapping', 'AWS::Scheduler::Schedule'])(
    'says of every %s what AWS is told',
    (type) => {
      for (const [id, { Properties: properties }] of of(type)) {
        expect(properties, id).toEqual(onAws.of(type).find((each) => each.id === id)?.properties);
      }
    },
  );

  it('leads functions to the Redis and the emulator of the compose file, and otherwise gives them what AWS gives them', () => {
    const redis = { REDIS_URL: 'redis://redis:6379', REDIS_MODE: 'single', REDIS_AUTH_SECRET: '' };
    const compose = readFileSync('localstack-compose.yml', 'utf8');
    expect(compose).toMatch(/^ {2}redis:$/m);
    expect(compose.match(/aliases: \[aws\]/g)).toHaveLength(2);
    for (const [id, { Properties: properties }] of of('AWS::Lambda::Function')) {
      const there = onAws.of('AWS::Lambda::Function').find((each) => each.id === id);
      const variables = there?.properties.Environment.Variables;
      expect(properties.Environment.Variables, id).toEqual({
        ...variables,
        ...('REDIS_URL' in variables ? redis : {}),
        AWS_ENDPOINT_URL: 'http://aws:4566',
      });
      expect(properties.Code, id).toEqual(there?.properties.Code);
    }
    expect(of('AWS::Lambda::Function').some(([, { Properties: properties }]) => 'REDIS_URL' in properties.Environment.Variables)).toBe(
      true,
    );
  });

  it('names functions so that whoever invokes them need not ask, and has them run on this machine’s architecture', () => {
    for (const [id, { Properties: properties }] of of('AWS::Lambda::Function')) {
      expect(properties.FunctionName).toBe(emulatedName(id));
      expect(properties.Architectures).toEqual([process.arch === 'arm64' ? 'arm64' : 'x86_64']);
    }
  });
});
