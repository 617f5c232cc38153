import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { randomOf } from '../simulation/random.ts';
import { type ProxyFault, startProxy } from './proxy.ts';

const random = randomOf('proxy');

/** A server that says everything back and notes what it heard, behind a proxy. */
async function echo() {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard.push(data.toString());
      socket.write(data);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const proxy = await startProxy(port);
  onTestFinished(async () => {
    await proxy.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, heard, port, connections: () => sockets.size };
}

/** A client that gathers what it is told, and how its connection ended. */
async function clientOf(port: number) {
  const socket = connect(port, '127.0.0.1');
  const state = { text: '', end: '' };
  socket.on('data', (data) => (state.text += data.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (state.end = error.code ?? error.message));
  socket.on('close', () => (state.end ||= 'closed'));
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, state };
}

/** What comes to be true by itself, however busy the machine is. */
const soon = <T>(probe: () => T) => expect.poll(probe, { interval: 5, timeout: 30_000 });

const all = (fault: ProxyFault, more: object = {}) => ({ fault, share: 1, random, ...more });

describe('a proxy between two ends', () => {
  it('passes everything both ways while nothing is asked of it', async () => {
    const { proxy } = await echo();
    const { socket, state } = await clientOf(proxy.port);
    for (let piece = 0; piece < 50; piece++) socket.write(`${piece},`);
    await soon(() => state.text).toBe(Array.from({ length: 50 }, (_, piece) => `${piece},`).join(''));
  });

  it('delays pieces and keeps their order', async () => {
    const { proxy } = await echo();
    const { socket, state } = await clientOf(proxy.port);
    proxy.begin(all('delay', { delayMsMax: 40 }));
    const said: string[] = [];
    for (let piece = 0; piece < 20; piece++) {
      said.push(`${piece},`);
      socket.write(`${piece},`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await soon(() => state.text).toBe(said.join(''));
    expect(proxy.effects.delay).toBeGreaterThan(0);
  });

  it('drops what a client sends, and is silent on that connection ever after', async () => {
    const { proxy, heard } = await echo();
    const { socket, state } = await clientOf(proxy.port);
    proxy.begin(all('drop'));
    socket.write('lost');
    await soon(() => proxy.effects.drop).toBe(1);
    proxy.end();
    socket.write('late');
    const { socket: other, state: others } = await clientOf(proxy.port);
    other.write('new');
    await soon(() => others.text).toBe('new');
    expect([heard, state]).toEqual([['new'], { text: '', end: '' }]);
    proxy.heal();
    await soon(() => state.end).toBe('ECONNRESET');
  });

  it('swallows answers to requests that were carried out', async () => {
    const { proxy, heard } = await echo();
    const { socket, state } = await clientOf(proxy.port);
    proxy.begin(all('swallow'));
    socket.write('done');
    await soon(() => proxy.effects.swallow).toBe(1);
    expect([heard, state]).toEqual([['done'], { text: '', end: '' }]);
  });

  it('resets connections', async () => {
    const { proxy } = await echo();
    const { state } = await clientOf(proxy.port);
    proxy.begin(all('reset', { everyMs: 10 }));
    await soon(() => state.end).toBe('ECONNRESET');
    proxy.end();
    const { socket, state: later } = await clientOf(proxy.port);
    socket.write('again');
    await soon(() => later.text).toBe('again');
  });

  it('accepts connections that nobody answers, and breaks those that were there', async () => {
    const { proxy, connections } = await echo();
    const { socket: before, state: broken } = await clientOf(proxy.port);
    before.write('x');
    await soon(() => broken.text).toBe('x');
    proxy.begin(all('half-open'));
    await soon(() => broken.end).toBe('ECONNRESET');
    const { socket, state } = await clientOf(proxy.port);
    socket.write('anybody?');
    await soon(() => proxy.effects['half-open']).toBe(1);
    proxy.end();
    expect([connections(), state]).toEqual([1, { text: '', end: '' }]);
  });

  it('meets no connection that the draw spares', async () => {
    const { proxy } = await echo();
    const { socket, state } = await clientOf(proxy.port);
    for (const fault of ['drop', 'swallow', 'reset', 'half-open', 'delay'] as const) {
      proxy.begin({ fault, share: 0, random, everyMs: 5 });
      socket.write(`${fault} `);
      await soon(() => state.text.endsWith(`${fault} `)).toBe(true);
    }
    expect(proxy.effects).toEqual({ delay: 0, drop: 0, reset: 0, 'half-open': 0, swallow: 0 });
  });

  it('moves to another server, with or without those who are there', async () => {
    const { proxy, heard } = await echo();
    const { heard: others, port } = await echo();
    const { socket: first, state: broken } = await clientOf(proxy.port);
    proxy.moveTo(port, { leaveOld: true });
    first.write('old');
    const { socket: second } = await clientOf(proxy.port);
    second.write('new');
    await soon(() => [heard, others]).toEqual([['old'], ['new']]);
    proxy.breakOld();
    await soon(() => broken.end).toBe('ECONNRESET');
    second.write('still');
    await soon(() => others.join()).toBe('new,still');
  });
});
