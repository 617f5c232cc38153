import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listenLocally } from '../../lib/local/aws-json.ts';
import type { ContainerKind } from '../../lib/local/container.hosts.ts';
import { type Capacity, HostedFunction } from '../../lib/local/containers.ts';
import { isAlive } from './processes.ts';
import { writeAssembly } from './small-app.ts';

interface Hosting {
  readonly timeoutSeconds?: number;
  readonly blankTransactionTokens?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly containers?: ContainerKind;
}

/** One function by itself. */
async function hosted(
  code: string,
  capacity: Capacity,
  { timeoutSeconds = 30, blankTransactionTokens = false, environment = {}, containers }: Hosting = {},
) {
  const directory = await writeAssembly({ Fn: { code } });
  const logs: string[] = [];
  const fn = new HostedFunction({
    spec: {
      ...{ logicalId: 'Fn', name: 'fn', arn: 'arn:fn', stack: 'Small', codeDirectory: join(directory, 'asset.Fn') },
      properties: {
        Code: { S3Bucket: '', S3Key: '' },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: timeoutSeconds,
        MemorySize: 128,
        Environment: { Variables: {} },
      },
    },
    capacity,
    containers,
    environment,
    blankTransactionTokens,
    onLog: (_, line) => logs.push(line),
  });
  onTestFinished(() => fn.stop());
  return { fn, logs };
}

const one: Capacity = { containersMax: 1, eventsMax: 1 };

/** Its time is short, and a fresh container's start must not use it up. */
const servesAgain = (fn: HostedFunction) =>
  expect.poll(() => fn.warm().then(() => fn.invoke({}).catch(() => 'not yet')), { timeout: 50_000 }).toBe('here');

const projectFile = fileURLToPath(new URL('../../package.json', import.meta.url));

describe('a hosted function', () => {
  it('keeps its module’s state between events, and each container has its own', async () => {
    const code =
      'let calls = 0; export const handler = async ({ ms }) => { await new Promise((r) => setTimeout(r, ms)); return ++calls; };';
    const { fn } = await hosted(code, one);
    expect([await fn.invoke({ ms: 0 }), await fn.invoke({ ms: 0 })]).toEqual([1, 2]);
    const { fn: two } = await hosted(code, { containersMax: 2, eventsMax: 1 });
    expect(await Promise.all([two.invoke({ ms: 300 }), two.invoke({ ms: 300 })])).toEqual([1, 1]);
  });

  it('never has more events under way than its containers may', async () => {
    const code = `let open = 0; let most = 0;
      export const handler = async () => { most = Math.max(most, ++open); await new Promise((r) => setTimeout(r, 200)); open--; return most; };`;
    const { fn } = await hosted(code, { containersMax: 1, eventsMax: 3 });
    const seen = await Promise.all(Array.from({ length: 9 }, () => fn.invoke({})));
    expect(Math.max(...(seen as number[]))).toBe(3);
  });

  it('fails what a crash took with it, and serves the next event from a fresh container', async () => {
    const code = `let calls = 0; export const handler = async ({ crash }) => {
      calls++;
      if (crash) setImmediate(() => { throw new Error('out of hand'); });
      await new Promise((r) => setTimeout(r, crash || calls === 2 ? 3_000 : 0));
      return calls;
    };`;
    const { fn, logs } = await hosted(code, { containersMax: 1, eventsMax: 2 });
    const both = await Promise.allSettled([fn.invoke({ crash: true }), fn.invoke({ crash: true })]);
    expect(both).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(await fn.invoke({})).toBe(1);
    expect(logs.join('\n')).toContain('out of hand');
  });

  it('ends with its timeout, also while it does not give way, and serves again afterwards', async () => {
    const code = 'export const handler = async ({ hang }) => { while (hang); return "here"; };';
    const { fn } = await hosted(code, one, { timeoutSeconds: 1 });
    await fn.warm();
    await expect(fn.invoke({ hang: true })).rejects.toThrow(/timed out after 1000 ms/);
    await servesAgain(fn);
  });

  it('knows its time, its name and its own environment, and nothing of the machine’s', async () => {
    const code = `export const handler = async (_, context) => ({ left: context.getRemainingTimeInMillis(), id: context.awsRequestId, name: context.functionName, environment: process.env });`;
    const { fn } = await hosted(code, one, { environment: { OWN: 'yes' } });
    const seen = (await fn.invoke({})) as { left: number; id: string; name: string; environment: Record<string, string> };
    expect(seen.left).toBeGreaterThan(10_000);
    expect(seen.left).toBeLessThanOrEqual(30_000);
    expect(seen).toMatchObject({ name: 'fn', environment: { OWN: 'yes' } });
    expect(seen.environment.PATH).toBeUndefined();
  });

  it('says at its first start why it can’t be loaded', async () => {
    const { fn } = await hosted("throw new Error('no such table');", one);
    await expect(fn.warm()).rejects.toThrow(/no such table/);
    const { fn: nameless } = await hosted('export const other = 1;', one);
    await expect(nameless.warm()).rejects.toThrow(/exports no function handler/);
  });

  it('sends transactions to the bundled database without tokens, and changes nothing else', async () => {
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).toString());
      response.end('{}');
    });
    const url = await listenLocally(server);
    onTestFinished(() => closeServer(server));
    const code = `import { request } from 'node:http';
      const send = (target, body) => new Promise((resolve, reject) => {
        const sent = request(${JSON.stringify(url)}, { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.' + target, 'content-length': body.length } }, (r) => r.resume().once('end', resolve));
        sent.once('error', reject).end(body);
      });
      export const handler = async ({ calls }) => { for (const [target, body] of calls) await send(target, body); };`;
    const { fn } = await hosted(code, one, { blankTransactionTokens: true });
    const inside = JSON.stringify({ note: '"ClientRequestToken":"mine",' });
    const first = `{"ClientRequestToken":"abc","TransactItems":[${inside}]}`;
    const last = `{"TransactItems":[${inside}],"ClientRequestToken":"abc"}`;
    await fn.invoke({
      calls: [
        ['TransactWriteItems', first],
        ['TransactWriteItems', last],
        ['PutItem', first],
      ],
    });
    expect(bodies.map((body) => body.length)).toEqual([first.length, last.length, first.length]);
    const items = { TransactItems: [JSON.parse(inside)] };
    expect(bodies.map((body) => JSON.parse(body))).toEqual([items, items, { ClientRequestToken: 'abc', ...items }]);
  });

  it('sends what the SDK makes of a transaction without the token that the SDK adds', async () => {
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).toString());
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
    });
    const url = await listenLocally(server);
    onTestFinished(() => closeServer(server));
    const code = `import { createRequire } from 'node:module';
      const { DynamoDBClient, TransactWriteItemsCommand } = createRequire(${JSON.stringify(projectFile)})('@aws-sdk/client-dynamodb');
      const client = new DynamoDBClient({});
      export const handler = (input) => client.send(new TransactWriteItemsCommand(input)).then(() => 'sent');`;
    const environment = { AWS_ENDPOINT_URL_DYNAMODB: url, AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const input = { TransactItems: [{ Delete: { TableName: 'rows', Key: { id: { S: 'ä"' } } } }] };
    for (const blankTransactionTokens of [true, false]) {
      const { fn } = await hosted(code, one, { blankTransactionTokens, environment });
      expect(await fn.invoke(input)).toBe('sent');
    }
    expect(bodies.map((body) => JSON.parse(body))).toEqual([
      input,
      { ...input, ClientRequestToken: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
  });
});

describe('a function whose containers are processes', () => {
  const containers = 'processes';

  it('keeps its state in a process of its own, with its own environment and nothing of the machine’s', async () => {
    const code = `let calls = 0; export const handler = async (_, context) => {
      console.log('call', ++calls);
      return { calls, pid: process.pid, left: context.getRemainingTimeInMillis(), environment: process.env };
    };`;
    const { fn, logs } = await hosted(code, one, { containers, environment: { OWN: 'yes' } });
    const first = (await fn.invoke({})) as { pid: number; left: number; environment: Record<string, string> };
    expect(await fn.invoke({})).toMatchObject({ calls: 2, pid: first.pid, environment: { OWN: 'yes' } });
    expect(first.pid).not.toBe(process.pid);
    expect(first.left).toBeGreaterThan(0);
    expect(first.left).toBeLessThanOrEqual(30_000);
    expect(first.environment.PATH).toBeUndefined();
    await expect.poll(() => logs, { timeout: 30_000 }).toEqual(['call 1', 'call 2']);
    await fn.stop();
    expect(isAlive(first.pid)).toBe(false);
  });

  it('fails what a kill took with it, and serves the next event from a fresh process', async () => {
    const code = `export const handler = async ({ ms }) => { await new Promise((r) => setTimeout(r, ms)); return process.pid; };`;
    const { fn, logs } = await hosted(code, { containersMax: 1, eventsMax: 2 }, { containers, timeoutSeconds: 30 });
    const pid = (await fn.invoke({ ms: 0 })) as number;
    const underWay = fn.invoke({ ms: 20_000 });
    process.kill(pid, 'SIGKILL');
    await expect(underWay).rejects.toThrow(/crashed: ended by SIGKILL/);
    expect(await fn.invoke({ ms: 0 })).not.toBe(pid);
    expect(logs.join()).toContain('a container crashed: ended by SIGKILL');
  });

  it('says at its first start why it can’t be loaded', async () => {
    const { fn } = await hosted("throw new Error('no such table');", one, { containers });
    await expect(fn.warm()).rejects.toThrow(/no such table/);
  });

  it('ends with its timeout, also while it does not give way', async () => {
    const { fn } = await hosted('export const handler = async ({ hang }) => { while (hang); return "here"; };', one, {
      ...{ containers, timeoutSeconds: 2 },
    });
    await fn.warm();
    await expect(fn.invoke({ hang: true })).rejects.toThrow(/timed out after 2000 ms/);
    await servesAgain(fn);
  });
});
