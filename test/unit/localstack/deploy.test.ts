import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp, UnknownHost } from '../../../lib/app.ts';
import { closeServer, listenLocally } from '../../../lib/local/aws-json.ts';
import { DeploymentFailed, deploy, emulatorEnvironment } from '../../../lib/localstack/deploy.ts';
import { expectEmulator, NoEmulator } from '../../../lib/localstack/endpoint.ts';
import { emulatedName } from '../../../lib/localstack/names.ts';

/** Answers nothing but refusals, and writes down who was asked for what. */
async function startRefuser() {
  const seen: { host: string | undefined; path: string; action: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ host: request.headers.host, path: request.url ?? '', action: /Action=(\w+)/.exec(body)?.[1] ?? '' });
    response
      .writeHead(400)
      .end('<ErrorResponse><Error><Code>AccessDenied</Code><Message>refused by the test</Message></Error></ErrorResponse>');
  });
  const url = await listenLocally(server);
  onTestFinished(() => closeServer(server));
  return { url, seen };
}

/** A directory that goes with the test: the CDK would make one of its own and leave it. */
async function assemblyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('a deployment into an emulator', () => {
  it('can’t reach anybody’s real account: what leads to one is gone from the command’s environment', () => {
    const env = emulatorEnvironment('http://127.0.0.1:4566', {
      PATH: '/bin',
      AWS_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'real',
      AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com',
      CDK_DEFAULT_ACCOUNT: '123456789012',
    });
    expect(env).not.toHaveProperty('AWS_PROFILE');
    expect(env).not.toHaveProperty('AWS_SESSION_TOKEN');
    expect(env).not.toHaveProperty('AWS_ENDPOINT_URL_S3');
    expect(env).not.toHaveProperty('CDK_DEFAULT_ACCOUNT');
    expect(env).toMatchObject({ PATH: '/bin', AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_CONFIG_FILE: '/dev/null' });
  });

  it('asks the endpoint, and says so when it is refused there', async () => {
    // The CDK's check of the templates takes longer than all the rest, and is tested elsewhere.
    process.env.CDK_VALIDATION = 'false';
    const { url, seen } = await startRefuser();
    const assembly = await assemblyDirectory();
    buildApp({ outdir: assembly, host: 'emulator' }).synth();
    await expect(deploy({ endpoint: url, assembly, output: 'ignore' })).rejects.toThrow(DeploymentFailed);
    expect(new Set(seen.map(({ host }) => host))).toEqual(new Set([new URL(url).host]));
    expect(seen.map(({ action }) => action)).toContain('GetCallerIdentity');
  });

  it('begins only when something answers there', async () => {
    const { url } = await startRefuser();
    await expectEmulator(url);
    await expect(expectEmulator('http://127.0.0.1:1')).rejects.toThrow(NoEmulator);
    await expect(expectEmulator('http://127.0.0.1:1')).rejects.toThrow('docker compose -f localstack-compose.yml up');
  });
});

describe('the app', () => {
  it('knows no host but AWS and an emulator', async () => {
    const outdir = await assemblyDirectory();
    expect(() => buildApp({ outdir, host: 'azure' as 'aws' })).toThrow(UnknownHost);
  });

  it('gives a function no name that Lambda would refuse', () => {
    expect(emulatedName('OrdersReserveFunction263EC571')).toBe('stampede-OrdersReserveFunction263EC571');
    expect(() => emulatedName('x'.repeat(60))).toThrow(RangeError);
  });
});
