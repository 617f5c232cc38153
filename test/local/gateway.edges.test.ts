import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Problem } from '../../functions/shared/problems.ts';
import { answerOnWire } from '../../lib/local/wire.ts';
import { getAtt, route, startSmallApp, tokenOf } from './small-app.ts';

const echo = { code: 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });' };
const sweep = {
  Type: 'AWS::Scheduler::Schedule',
  Properties: { ScheduleExpression: 'rate(1 hour)', Target: { Arn: getAtt('Echo', 'Arn'), Input: '{"schedule":"sweeper"}' } },
};
const app = () =>
  startSmallApp(
    { Echo: echo },
    { ...route('GET /v1/health', 'Echo'), ...route('ANY /', 'Echo'), ...route('GET /mine', 'Echo', { needsToken: true }), Sweep: sweep },
  );

function connection(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return socket;
}

interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the gateway says to these very bytes, until it closes the connection. */
async function say(url: string, bytes: string): Promise<WireAnswer> {
  const socket = connection(url);
  socket.on('error', () => {});
  socket.write(bytes);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  const [first = '', ...lines] = head.split('\r\n');
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])),
    body,
  };
}

function expectProblem(answer: WireAnswer, status: number, code: string) {
  expect(answer.status, answer.body).toBe(status);
  expect(answer.headers['x-request-id']).toMatch(/^[\w-]{36}$/);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(answer.body)).toMatchObject({ code, status, instance: expect.stringMatching(/^\//) });
}

const end = 'connection: close\r\n\r\n';

describe('what Node would answer by itself', () => {
  it('is answered in the problem form: no Host, headers without end, no HTTP, a tunnel', async () => {
    const { url } = await app();
    expectProblem(await say(url, `GET /v1/health HTTP/1.1\r\n${end}`), 400, 'INVALID_REQUEST');
    expectProblem(await say(url, `GET / HTTP/1.1\r\nhost: here\r\nx: ${'x'.repeat(20_000)}\r\n${end}`), 431, 'INVALID_REQUEST');
    expectProblem(await say(url, 'NOT HTTP AT ALL\r\n\r\n'), 400, 'INVALID_REQUEST');
    expectProblem(
      await say(url, 'POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n'),
      400,
      'INVALID_REQUEST',
    );
    const tunnel = await say(url, `CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n`);
    expectProblem(tunnel, 405, 'METHOD_NOT_ALLOWED');
    expect(tunnel.headers.allow).toBe('');
  });

  it('is a request like any other: an expectation that nobody knows, an older HTTP without a Host', async () => {
    const { url } = await app();
    expect(await say(url, `GET /v1/health HTTP/1.1\r\nhost: here\r\nexpect: foo\r\n${end}`)).toMatchObject({ status: 200 });
    expect(await say(url, 'GET /v1/health HTTP/1.0\r\n\r\n')).toMatchObject({ status: 200 });
  });

  it('says of a request that came too slowly 408', () => {
    const answer = answerOnWire(408, new Problem('INVALID_REQUEST', 'The request did not arrive in time.'));
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*x-request-id: [\w-]{36}\r\n[\s\S]*\r\n\r\n\{.*"status":408/);
  });
});

describe('a request', () => {
  it('may name the whole address that it is for', async () => {
    const { url } = await app();
    const answer = await say(url, `GET http://elsewhere.example/v1/health?a=1 HTTP/1.1\r\nhost: elsewhere.example\r\n${end}`);
    expect(JSON.parse(answer.body)).toMatchObject({ rawPath: '/v1/health', rawQueryString: 'a=1', routeKey: 'GET /v1/health' });
    const root = await say(url, `GET http://elsewhere.example?b=2 HTTP/1.1\r\nhost: elsewhere.example\r\n${end}`);
    expect(JSON.parse(root.body)).toMatchObject({ rawPath: '/', queryStringParameters: { b: '2' } });
  });

  it('hands bytes that are no UTF-8 on as they came, whatever their media type says', async () => {
    const { url } = await app();
    const sent = (bytes: number[]) =>
      fetch(`${url}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.from(bytes) }).then((each) =>
        each.json(),
      );
    expect(await sent([0x22, 0xff, 0x22])).toMatchObject({ body: 'Iv8i', isBase64Encoded: true });
    expect(await sent([0x22, 0xc3, 0xa9, 0x22])).toMatchObject({ body: '"é"', isBase64Encoded: false });
  });

  it('hands every query parameter on, whatever it is called', async () => {
    const { url } = await app();
    const body = await (await fetch(`${url}/?__proto__=1&constructor=2&__proto__=3`)).text();
    expect(body).toContain('"queryStringParameters":{"__proto__":"1,3","constructor":"2"}');
  });

  it('that goes on beyond ten mebibytes hears why before the connection ends', async () => {
    const { url, logs } = await app();
    const socket = connection(url);
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n');
    const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const more = () => {
      while (socket.writable && socket.write(piece));
    };
    socket.on('drain', more);
    more();
    let heard = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      heard += part;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*"code":"BODY_TOO_LARGE"/);
    expect(logs).toEqual([]);
  });

  it.each(['destroy', 'resetAndDestroy'] as const)('whose client hangs up (%s) is nothing to complain of', async (hangUp) => {
    const code = `export const handler = async () => { console.log('started'); await new Promise((r) => setTimeout(r, 300)); return 'done'; };`;
    const { url, logs, stop } = await startSmallApp({ Slow: { code } }, route('GET /', 'Slow'));
    const socket = connection(url);
    // Half a request behind a whole one: once the function has the one, both have arrived, and the other waits for its turn to be answered.
    socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\nPOST / HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nhalf of it');
    await expect.poll(() => logs, { timeout: 30_000 }).toEqual([expect.stringMatching(/ started$/)]);
    socket[hangUp]();
    // Waits for what is under way, which the half request is until the gateway has noticed.
    await stop();
    expect(logs).toHaveLength(1);
  });

  it('without a token is told which scheme is asked for', async () => {
    const { url } = await app();
    const refused = await fetch(`${url}/mine`);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${await tokenOf(url)}` } })).status).toBe(200);
  });
});

describe('the answer to HEAD', () => {
  it('claims no length that its GET has not', async () => {
    const code = `export const handler = async ({ requestContext: { http: { method } } }) =>
      ({ statusCode: 200, headers: { 'content-type': 'text/plain' }, ...(method === 'HEAD' ? {} : { body: 'four' }) });`;
    const { url } = await startSmallApp({ Text: { code } }, route('ANY /', 'Text'));
    expect((await fetch(url)).headers.get('content-length')).toBe('4');
    const head = await say(url, `HEAD / HTTP/1.1\r\nhost: here\r\n${end}`);
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers).not.toHaveProperty('content-length');
    expect(head.headers).not.toHaveProperty('transfer-encoding');
  });
});

describe('a path below /local/', () => {
  it('says what it knows, to OPTIONS and to every method that it does not know', async () => {
    const { url } = await app();
    const ask = async (path: string, method: string) => {
      const response = await fetch(url + path, { method });
      return [response.status, response.headers.get('allow')];
    };
    expect(await ask('/local/token', 'GET')).toEqual([405, 'OPTIONS, POST']);
    expect(await ask('/local/token', 'OPTIONS')).toEqual([204, 'OPTIONS, POST']);
    expect(await ask('/local/run/sweeper', 'GET')).toEqual([405, 'OPTIONS, POST']);
    expect(await ask('/local/.well-known/jwks.json', 'DELETE')).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect(await ask('/local/.well-known/jwks.json', 'HEAD')).toEqual([200, null]);
    expect(await ask('/local/nothing', 'OPTIONS')).toEqual([404, null]);
  });

  it('names the schedules that there are when it is asked for another', async () => {
    const { url } = await app();
    for (const name of ['reconciler', 'outbox', 'UPPER']) {
      const refused = await fetch(`${url}/local/run/${name}`, { method: 'POST' });
      expect([refused.status, await refused.json()]).toMatchObject([404, { code: 'NOT_FOUND', detail: expect.stringMatching(/sweeper/) }]);
    }
  });
});
