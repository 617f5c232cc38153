import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../simulation/random.ts';

export const proxyFaults = ['delay', 'drop', 'reset', 'half-open', 'swallow'] as const;
/**
 * What a network may do to a connection. `delay`: each piece comes later, in order. `drop`: what the client sends vanishes, and nobody says so.
 * `swallow`: requests arrive and are carried out, and their answers vanish. `reset`: connections break in the middle of whatever they carry.
 * `half-open`: connections are accepted, and nobody is behind them.
 */
export type ProxyFault = (typeof proxyFaults)[number];

/** Looks at what one client sends, before it is passed on. */
export interface Inspector {
  /** What goes on to the server, and what the client is answered in its place. */
  inspect(chunk: Buffer): { readonly forward: readonly Buffer[]; readonly answers: readonly Buffer[] };
}

interface FaultPlan {
  readonly fault: ProxyFault;
  /** How likely it is for a connection to be met. */
  readonly share: number;
  readonly random: Random;
  /** Of a delay: the most that a piece waits. */
  readonly delayMsMax?: number;
  /** Of resets: how long between two of them. */
  readonly everyMs?: number;
}

export interface TcpProxy {
  readonly port: number;
  /** What was met so far: pieces, answers or connections, by the fault. */
  readonly effects: Readonly<Record<ProxyFault, number>>;
  /** Begins a fault in place of the one before. */
  begin(plan: FaultPlan): void;
  /** Ends the fault. Connections that have lost bytes stay silent, as dead ones do, until their clients give them up, or until `heal`. */
  end(): void;
  /** Breaks the connections that were left dead. */
  heal(): void;
  /** Where connections lead from now on; those that are there are broken, unless they are to be left where they are. */
  moveTo(port: number, options?: { readonly leaveOld?: boolean }): void;
  /** Breaks every connection that leads elsewhere than to where new ones do. */
  breakOld(): void;
  stop(): Promise<void>;
}

const delayMsDefault = 400;
const resetEveryMs = 150;

class Pair {
  readonly client: Socket;
  readonly server: Socket | undefined;
  readonly serverPort: number;
  /** Whether the present fault meets this connection. */
  isMet = false;
  /** Bytes were lost: nothing sensible can pass here any more. */
  isDead = false;
  #up = Promise.resolve();
  #down = Promise.resolve();
  #waiting = 0;

  constructor(client: Socket, server: Socket | undefined, serverPort: number) {
    this.client = client;
    this.server = server;
    this.serverPort = serverPort;
  }

  /** Passes a piece on, after the pieces before it. */
  pass(way: 'up' | 'down', chunk: Buffer, delayMs: number): void {
    if (delayMs === 0 && this.#waiting === 0) {
      this.#write(way, chunk);
      return;
    }
    this.#waiting++;
    const later = new Promise<void>((resolve) => setTimeout(resolve, delayMs));
    const line = (way === 'up' ? this.#up : this.#down)
      .then(() => later)
      .then(() => {
        this.#waiting--;
        if (!this.isDead) this.#write(way, chunk);
      });
    if (way === 'up') this.#up = line;
    else this.#down = line;
  }

  /** What the other side does not take yet holds up its source. */
  #write(way: 'up' | 'down', chunk: Buffer): void {
    const [source, target] = way === 'up' ? [this.client, this.server] : [this.server, this.client];
    if (!target || target.destroyed || target.write(chunk)) return;
    source?.pause();
    target.once('drain', () => source?.resume());
  }

  break(): void {
    this.client.resetAndDestroy();
    this.server?.destroy();
  }
}

type Effects = Record<ProxyFault, number>;

class FaultyProxy implements TcpProxy {
  readonly effects: Effects = { delay: 0, drop: 0, reset: 0, 'half-open': 0, swallow: 0 };
  readonly #server: Server;
  readonly #inspectorOf: (() => Inspector) | undefined;
  readonly #pairs = new Set<Pair>();
  #port = 0;
  #target: number;
  #plan: FaultPlan | undefined;
  #resets: NodeJS.Timeout | undefined;

  constructor(target: number, inspectorOf: (() => Inspector) | undefined) {
    this.#target = target;
    this.#inspectorOf = inspectorOf;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.#port = address.port;
  }

  begin(plan: FaultPlan): void {
    this.end();
    this.#plan = plan;
    const { random, share, fault, everyMs = resetEveryMs } = plan;
    for (const pair of this.#pairs) pair.isMet = random.chance(share);
    if (fault === 'reset') this.#resets = setInterval(() => this.#breakSome(random, share), everyMs);
    // Whoever has a connection would never meet it: those are broken, and made anew.
    if (fault === 'half-open') for (const pair of this.#pairs) if (pair.isMet) pair.break();
  }

  end(): void {
    clearInterval(this.#resets);
    this.#plan = undefined;
  }

  heal(): void {
    for (const pair of this.#pairs) if (pair.isDead) pair.break();
  }

  moveTo(port: number, { leaveOld = false } = {}): void {
    this.#target = port;
    if (!leaveOld) this.breakOld();
  }

  breakOld(): void {
    for (const pair of this.#pairs) if (pair.serverPort !== this.#target) pair.break();
  }

  async stop(): Promise<void> {
    this.end();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const pair of this.#pairs) pair.break();
    await closed;
  }

  #accept(client: Socket): void {
    const isMet = this.#plan?.random.chance(this.#plan.share) ?? false;
    const isHalfOpen = isMet && this.#plan?.fault === 'half-open';
    const server = isHalfOpen ? undefined : connect(this.#target, '127.0.0.1');
    const pair = new Pair(client, server, this.#target);
    pair.isMet = isMet;
    this.#pairs.add(pair);
    if (isHalfOpen) this.#lose(pair, 'half-open');
    const inspector = this.#inspectorOf?.();
    client.on('data', (chunk) => this.#hearClient(pair, chunk, inspector));
    server?.on('data', (chunk) => this.#hearServer(pair, chunk));
    for (const socket of [client, server]) {
      socket?.setNoDelay(true);
      socket?.on('error', () => {});
      // The dead tell nobody that they are.
      socket?.on('close', () => (pair.isDead && socket === server ? undefined : this.#close(pair)));
    }
  }

  #hearClient(pair: Pair, chunk: Buffer, inspector: Inspector | undefined): void {
    if (pair.isDead) return;
    if (this.#meets(pair, 'drop')) {
      this.#lose(pair, 'drop');
      return;
    }
    const { forward, answers } = inspector?.inspect(chunk) ?? { forward: [chunk], answers: [] };
    for (const piece of forward) pair.pass('up', piece, this.#delayOf(pair));
    for (const piece of answers) pair.pass('down', piece, this.#delayOf(pair));
  }

  #hearServer(pair: Pair, chunk: Buffer): void {
    if (pair.isDead) return;
    if (this.#meets(pair, 'swallow')) this.#lose(pair, 'swallow');
    else pair.pass('down', chunk, this.#delayOf(pair));
  }

  #meets(pair: Pair, fault: ProxyFault): boolean {
    return this.#plan?.fault === fault && pair.isMet;
  }

  #delayOf(pair: Pair): number {
    if (!this.#plan || !this.#meets(pair, 'delay')) return 0;
    this.effects.delay++;
    return Math.ceil(this.#plan.random.next() * (this.#plan.delayMsMax ?? delayMsDefault));
  }

  #lose(pair: Pair, fault: ProxyFault): void {
    this.effects[fault]++;
    pair.isDead = true;
  }

  #breakSome(random: Random, share: number): void {
    for (const pair of this.#pairs) {
      if (!random.chance(share)) continue;
      this.effects.reset++;
      pair.break();
    }
  }

  #close(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server?.destroy();
  }
}

/**
 * A TCP proxy on a free port of 127.0.0.1 before the server at `serverPort`, which does to connections what it is told to.
 * `inspectorOf` makes one for each connection.
 */
export async function startProxy(serverPort: number, inspectorOf?: () => Inspector): Promise<TcpProxy> {
  const proxy = new FaultyProxy(serverPort, inspectorOf);
  await proxy.listen();
  return proxy;
}
