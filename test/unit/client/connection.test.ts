import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../../../lib/client/client.ts';
import { Connection, NoAnswer } from '../../../lib/client/connection.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** A server that answers as told, and a connection to it. */
async function connect(answer: (request: IncomingMessage, response: ServerResponse) => void, timeoutMs = 2_000, path = '') {
  const server: Server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const connection = new Connection(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { connections: 2, timeoutMs });
  opened.push(
    () => connection.close(),
    async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  );
  return connection;
}

describe('an answer', () => {
  it('is a value whatever its status, with the problem where there is one', async () => {
    const problem = { code: 'SOLD_OUT', retryable: false, available: 0 };
    const connection = await connect((_, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json; charset=utf-8', 'X-Request-Id': 'r1' });
      response.end(JSON.stringify(problem));
    });
    const answer = await connection.send({ method: 'GET', path: '/' });
    expect(answer).toMatchObject({ ok: false, status: 409, body: problem, headers: { 'x-request-id': 'r1' } });
  });

  it('of a gateway without a problem document has no body, only its text', async () => {
    const connection = await connect((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"message":"Unauthorized"}');
    });
    const answer = await connection.send({ method: 'GET', path: '/' });
    expect(answer).toMatchObject({ ok: false, status: 401, text: '{"message":"Unauthorized"}' });
    expect(answer.body).toBeUndefined();
  });

  it('that does not come in time, or breaks off, is thrown as no answer', async () => {
    const silent = await connect(() => {}, 100);
    await expect(silent.send({ method: 'GET', path: '/' })).rejects.toThrow(NoAnswer);
    const broken = await connect((request) => request.socket.destroy());
    await expect(broken.send({ method: 'POST', path: '/', body: '{}' })).rejects.toThrow(NoAnswer);
  });
});

describe('a request', () => {
  it('is never sent a second time by itself', async () => {
    let received = 0;
    const connection = await connect((request) => {
      received++;
      request.socket.destroy();
    });
    await expect(connection.send({ method: 'POST', path: '/', body: '{}' })).rejects.toThrow(NoAnswer);
    expect(received).toBe(1);
  });

  it('goes below the base address, with the caller, the key and the encoded path', async () => {
    let seen: unknown;
    const connection = await connect(
      (request, response) => {
        const { authorization, 'idempotency-key': key, 'content-type': mediaType } = request.headers;
        seen = { method: request.method, url: request.url, authorization, key, mediaType };
        response.end();
      },
      2_000,
      '/prod/',
    );
    await new Client(connection, 'a.b.c').placeOrder('a/b', { items: [] }, 'key-1');
    expect(seen).toEqual({
      method: 'POST',
      url: '/prod/v1/sales/a%2Fb/orders',
      authorization: 'Bearer a.b.c',
      key: 'key-1',
      mediaType: 'application/json',
    });
  });

  it('keeps its connections for the next ones, never more than it may have', async () => {
    const sockets = new Set<unknown>();
    const connection = await connect((request, response) => {
      sockets.add(request.socket);
      setImmediate(() => response.end('{}'));
    });
    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 10 }, () => connection.send({ method: 'GET', path: '/' })));
    expect(sockets.size).toBe(2);
  });
});
