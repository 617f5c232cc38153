import { describe, expect, it, onTestFinished } from 'vitest';
import { assemble } from '../../../lib/local/assembly.ts';
import { hostFunctions } from '../../../lib/local/functions.ts';
import { readAssembly } from '../../../lib/local/synthesis.ts';
import { startEmulatorGateway } from '../../../lib/localstack/gateway.ts';
import { route, type SmallFunction, tokenOf, writeAssembly } from '../../local/small-app.ts';
import { serveInvoke } from './emulator.ts';

const nowhere = 'http://127.0.0.1:1';
const services = { dynamodb: nowhere, sqs: nowhere, eventBridge: nowhere, secretsManager: nowhere, scheduler: nowhere, lambda: nowhere };
const endpoints = { redisUrl: 'redis://127.0.0.1:1', warmDynamodb: nowhere, ...services };

/** Real containers of the small app's functions, behind an Invoke API. */
async function startInvokeApi(cdkOut: string, deployed: (logicalId: string) => boolean) {
  const parameters = { Issuer: 'http://issuer', Audience: 'stampede' };
  const assembly = assemble(await readAssembly(cdkOut), { parameters, queueUrl: (name) => name });
  const functions = hostFunctions(assembly, endpoints, { replicas: 1, blankTransactionTokens: false, onLog: () => {} });
  onTestFinished(() => functions.stop());
  const api = await serveInvoke(assembly, functions, deployed);
  onTestFinished(() => api.stop());
  return api;
}

async function startSmall(functions: Record<string, SmallFunction>, resources = {}, deployed = (_: string) => true) {
  const cdkOut = await writeAssembly(functions, resources);
  const lambda = await startInvokeApi(cdkOut, deployed);
  const logs: string[] = [];
  const gateway = await startEmulatorGateway({ port: 0, endpoint: lambda.url, cdkOut, onLog: (line) => logs.push(line) });
  onTestFinished(() => gateway.stop());
  return { url: gateway.url, logs, lambda };
}

const echo = {
  code: 'export const handler = async (event) => ({ statusCode: 201, headers: { "x-seen": "yes" }, body: JSON.stringify(event) });',
};
const binary = {
  code: `export const handler = async () => ({ statusCode: 200, headers: { 'content-type': 'application/octet-stream' }, body: '/wAB', isBase64Encoded: true });`,
};

describe('the API in front of an emulator', () => {
  it('hands a request to the deployed function as an HTTP API does, and its answer back', async () => {
    const { url, lambda } = await startSmall({ Echo: echo }, route('POST /v1/things/{thingId}', 'Echo', { needsToken: true }));
    const answer = await fetch(`${url}/v1/things/a%20b?x=1&x=2`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(url)}`, 'content-type': 'application/json' },
      body: '{"n":1}',
    });
    expect([answer.status, answer.headers.get('x-seen')]).toEqual([201, 'yes']);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    expect(await answer.json()).toMatchObject({
      version: '2.0',
      routeKey: 'POST /v1/things/{thingId}',
      pathParameters: { thingId: 'a b' },
      queryStringParameters: { x: '1,2' },
      body: '{"n":1}',
      requestContext: { authorizer: { jwt: { claims: { sub: 'ada', scope: 'sale:buy' } } } },
    });
    // The emulator finds the region in it.
    expect([...lambda.authorizations]).toEqual([expect.stringMatching(/\/eu-central-1\/lambda\/aws4_request/)]);
  });

  it('invokes nobody without a valid token where one is needed', async () => {
    const { url, lambda } = await startSmall({ Echo: echo }, route('GET /mine', 'Echo', { needsToken: true }));
    const refused = await fetch(`${url}/mine`, { headers: { authorization: 'Bearer x' } });
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'UNAUTHENTICATED' }]);
    expect(lambda.authorizations.size).toBe(0);
  });

  it('hands binary answers on as they are', async () => {
    const { url } = await startSmall({ Binary: binary }, route('GET /bytes', 'Binary'));
    expect([...new Uint8Array(await (await fetch(`${url}/bytes`)).arrayBuffer())]).toEqual([255, 0, 1]);
  });

  it('answers 503 when the function fails, without its words, which stand in the log', async () => {
    const { url, logs } = await startSmall(
      { Bad: { code: 'export const handler = async () => { throw new Error("inner secret"); };' } },
      route('GET /bad', 'Bad'),
    );
    const answer = await fetch(`${url}/bad`);
    const text = await answer.text();
    expect([answer.status, JSON.parse(text)]).toMatchObject([503, { code: 'TRY_AGAIN', retryable: true }]);
    expect(text).not.toContain('secret');
    expect(logs.join()).toContain('inner secret');
  });

  it('says what to do when the functions are not deployed', async () => {
    const { url, logs } = await startSmall({ Echo: echo }, route('GET /', 'Echo'), () => false);
    expect((await fetch(`${url}/`)).status).toBe(503);
    expect(logs.join()).toContain('npm run localstack:deploy');
  });

  it('runs a schedule by invoking its function, also on demand', async () => {
    const schedule = {
      Sweeping: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          ScheduleExpression: 'rate(1 minute)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: { 'Fn::GetAtt': ['Sweep', 'Arn'] }, RoleArn: 'none', Input: '{"schedule":"sweeper"}' },
        },
      },
    };
    const code = `let runs = 0;
      export const handler = async (event) => event.schedule ? void runs++ : { statusCode: 200, body: String(runs) };`;
    const { url } = await startSmall({ Sweep: { code } }, { ...schedule, ...route('GET /runs', 'Sweep') });
    const ran = await fetch(`${url}/local/run/sweeper`, { method: 'POST' });
    expect([ran.status, await ran.json()]).toMatchObject([200, { schedule: 'sweeper', outcome: 'done' }]);
    const counts = await Promise.all([1, 2, 3].map(async () => (await fetch(`${url}/runs`)).text()));
    // Containers count for themselves: one of them has run it.
    expect(counts.some((count) => count === '1') || counts.every((count) => count === '0')).toBe(true);
  });

  it('closes its door when it can’t start', async () => {
    await expect(startEmulatorGateway({ port: 0, endpoint: nowhere, cdkOut: '/nonexistent' })).rejects.toThrow('ENOENT');
  });
});
