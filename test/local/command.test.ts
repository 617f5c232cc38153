import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listenLocally } from '../../lib/local/aws-json.ts';
import { childrenOf, isAlive, twoFreePorts } from './processes.ts';

const root = join(import.meta.dirname, '../..');

/** `npm start` without npm. */
function command(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['bin/local.ts'], { cwd: root, env: { PATH: process.env.PATH, ...environment } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, lines, ended, errorText: () => error };
}

describe('the command that pays', () => {
  it.each([
    { option: ['--url', 'nowhere'], said: /^--url takes an address such as http:.*"nowhere"\.$/ },
    { option: ['--amount', 'all'], said: /^--amount takes a whole number of minor units, not "all"\.$/ },
    { option: ['--amount', ''], said: /^--amount takes a whole number of minor units, not ""\.$/ },
    { option: ['--amount', '1.5'], said: /^--amount takes a whole number/ },
  ])('says in one line which option is wrong, and pays nothing: $option', ({ option, said }) => {
    const paid = spawnSync(process.execPath, ['bin/pay.ts', ...option, 'ord_1'], { cwd: root, encoding: 'utf8' });
    expect(paid.status).toBe(1);
    expect(paid.stderr.trim()).toMatch(said);
    expect(paid.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('the command that starts everything', () => {
  it.each([
    { PORT: '65536', said: /^PORT must be a port/ },
    { PORT: 'http', said: /^PORT must be a port/ },
    { PORT: '0', REPLICAS: '9', said: /^REPLICAS must be a number of front ends from 1 to 8\.$/m },
    { PORT: '65535', REPLICAS: '2', said: /^PORT 65535 leaves no ports for 2 front ends: / },
    { PORT: '0', REDIS_URL: '127.0.0.1:6379', said: /^REDIS_URL must be an address such as redis:/ },
    { PORT: '0', PAYMENT_WEBHOOK_SECRETS: 'whsec_short', said: /^PAYMENT_WEBHOOK_SECRETS must be secrets like whsec_/ },
    { PORT: '0', OUTBOX_MODE: 'pulling', said: /^OUTBOX_MODE must be stream, polling or both\.$/m },
    { PORT: '0', DYNAMODB_ENDPOINT: 'nowhere', said: /^DYNAMODB_ENDPOINT must be an address such as http:/ },
  ])('says in one line which setting is wrong: $PORT $REPLICAS $REDIS_URL $DYNAMODB_ENDPOINT', async ({ said, ...settings }) => {
    const { ended, errorText } = command(settings as Record<string, string>);
    expect(await ended).toBe(1);
    expect(errorText()).toMatch(said);
    expect(errorText().trim().split('\n')).toHaveLength(1);
  });

  it.each([
    { REDIS_URL: 'redis://127.0.0.1:1', said: /^No Redis answers at 127\.0\.0\.1:1: / },
    { DYNAMODB_ENDPOINT: 'http://127.0.0.1:1', said: /^No DynamoDB server answers at http:\/\/127\.0\.0\.1:1: / },
  ])(
    'says in one line which given server does not answer: $REDIS_URL $DYNAMODB_ENDPOINT',
    { timeout: 240_000 },
    async ({ said, ...settings }) => {
      const { ended, errorText } = command({ PORT: '0', ...(settings as Record<string, string>) });
      expect(await ended).toBe(1);
      expect(errorText()).toMatch(said);
      expect(errorText().trim().split('\n')).toHaveLength(1);
    },
  );

  it('says in one line that the directory for data can’t be used', async () => {
    const { ended, errorText } = command({ PORT: '0', DATA_DIR: '/dev/null/data' });
    expect(await ended).toBe(1);
    expect(errorText()).toMatch(/^DATA_DIR \/dev\/null\/data can't be written/);
    expect(errorText().trim().split('\n')).toHaveLength(1);
  });

  it('says which port is in use, and how to get another', { timeout: 240_000 }, async () => {
    const server = createServer();
    const port = (await twoFreePorts()) + 1;
    await listenLocally(server, port);
    onTestFinished(() => closeServer(server));
    const { ended, errorText } = command({ PORT: String(port) });
    expect(await ended).toBe(1);
    expect(errorText()).toMatch(new RegExp(`^Port ${port} is in use.*PORT=0`));
    // Of several front ends, the one whose port it is.
    const several = command({ PORT: String(port - 1), REPLICAS: '2' });
    expect(await several.ended).toBe(1);
    expect(several.errorText()).toMatch(new RegExp(`^Port ${port} is in use.*PORT=0`));
  });

  it('ends with the address, sells the demo by the line it prints, and exits with 0 on Ctrl-C', async () => {
    const { child, lines, ended } = command({ PORT: '0' });
    await expect.poll(() => lines.at(-1), { timeout: 240_000 }).toMatch(/^Stampede is ready: http:\/\/127\.0\.0\.1:\d+$/);
    const buy = lines.find((line) => line.startsWith('curl ')) ?? '';
    const orders = [1, 2].map(() => JSON.parse(execFileSync('/bin/sh', ['-c', buy], { encoding: 'utf8' })) as Record<string, unknown>);
    expect(orders).toMatchObject([
      { saleId: 'demo', buyerId: 'ada', items: [{ sku: 'demo-tee', quantity: 1 }] },
      { saleId: 'demo', buyerId: 'ada', items: [{ sku: 'demo-tee', quantity: 1 }] },
    ]);
    expect(orders[0]?.orderId).not.toBe(orders[1]?.orderId);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  }, 360_000);

  it('gives a start up at once on Ctrl-C, and leaves nothing of it running', { timeout: 240_000 }, async () => {
    const { child, lines, ended, errorText } = command({ PORT: '0' });
    await expect.poll(() => childrenOf(child.pid).length, { timeout: 120_000 }).toBeGreaterThan(1);
    const started = childrenOf(child.pid);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    // Had the start gone on, it would have said where.
    expect([lines.at(-1), errorText()]).toEqual(['Stopping; once more to stop at once.', '']);
    expect(lines.filter((line) => /ready|curl /.test(line))).toEqual([]);
    await expect.poll(() => started.filter(isAlive), { timeout: 60_000 }).toEqual([]);
  });

  it('takes a setting that is empty for one that is not made', async () => {
    const { child, lines, errorText } = command({ PORT: '', REDIS_URL: '', DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' });
    await expect.poll(() => lines.length + errorText().length, { timeout: 50_000 }).toBeGreaterThan(0);
    expect(errorText()).not.toContain('must be');
    child.kill('SIGKILL');
  });

  it('stops at once when asked twice, whatever is under way', async () => {
    const { child, lines, ended } = command({ PORT: '0', REPLICAS: '2' });
    await expect.poll(() => lines.at(-1), { timeout: 240_000 }).toMatch(/^Stampede is ready/);
    const first = lines.at(-1)?.split(' ').at(-1);
    expect(lines.at(-2)).toMatch(new RegExp(`^2 front ends serve the same sales: ${first} http://127\\.0\\.0\\.1:\\d+$`));
    const port = Number(new URL(lines.at(-1)?.split(' ').at(-1) ?? '').port);
    // A request and half of another: once the first is answered, the other has arrived, and the runtime would wait for the rest of it.
    const requests = ['GET /v1/health HTTP/1.1\r\nhost: here\r\n\r\n', 'POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\n'];
    const socket = connect(port, '127.0.0.1', () => socket.write(requests.join('')));
    onTestFinished(() => void socket.destroy());
    await once(socket, 'data');
    child.kill('SIGINT');
    // As npm passes on what the terminal has sent already.
    child.kill('SIGINT');
    await expect.poll(() => lines.at(-1), { timeout: 60_000 }).toMatch(/^Stopping/);
    await pause(500);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  }, 360_000);
});
