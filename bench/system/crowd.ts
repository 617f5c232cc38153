import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '../../lib/client/client.ts';
import { type Answer, Connection } from '../../lib/client/connection.ts';
import { localCallers } from '../../lib/client/tokens.ts';
import type { BenchContext } from '../lib/section.ts';
import { constantPath } from './constant.ts';
import { order } from './events.ts';
import type { Load, Loaded } from './load.process.ts';
import { type Remote, startRemote } from './remote.ts';
import type { RuntimeCpu, RuntimeProfiles } from './runtime.process.ts';

/** What is sent, in words of the table: the same path to a function and back, then nothing, a refusal, or an order. */
export const requestKinds = ['constant', 'refused', 'placed'] as const;
export type RequestKind = (typeof requestKinds)[number];

/** What each of them is answered with. */
const statusOf: Record<RequestKind, number> = { constant: 409, refused: 409, placed: 201 };

export interface Sent {
  readonly perSecond: number;
  readonly latencyMs: Loaded['latencyMs'];
  /** CPU microseconds of each process per request; the database's where it can be told. */
  readonly cpu: { readonly runtime: number; readonly redis: number; readonly database: number | undefined; readonly client: number };
}

export interface Crowd {
  send(kind: RequestKind, round: string): Promise<Sent>;
  /** CPU profiles of the runtime's threads while such requests come in. */
  profile(kind: Exclude<RequestKind, 'constant'>): Promise<RuntimeProfiles>;
  /** Answers that should not have been, in words. */
  readonly unexpected: readonly string[];
  stop(): Promise<void>;
}

export interface CrowdOptions {
  readonly cdkOut: string;
  /** Options of Node's own for the runtime. */
  readonly execArgv: readonly string[];
  readonly durationMs: number;
  readonly buyers: number;
}

const connections = 64;
const unitsPerBuyer = 20;
/** Containers of a function behind the gateway (lib/local/functions.ts). */
const containers = 2;
const [soldOutSale, productSku] = ['bench-sold-out', 'seat-free'];
/** What follows from a load has at most so many times the load's own time to end. */
const quietTimesMax = 10;

/** The embedded runtime in a process of its own, and a crowd in another. */
export async function startCrowd(context: Pick<BenchContext, 'onStop' | 'signal'>, options: CrowdOptions): Promise<Crowd> {
  const { cdkOut, execArgv, durationMs, buyers } = options;
  const environment = { HOME: process.env.HOME ?? '', TMPDIR: process.env.TMPDIR ?? '/tmp' };
  const runtime = startRemote(new URL('runtime.process.ts', import.meta.url), { execArgv, environment });
  const client = startRemote(new URL('load.process.ts', import.meta.url));
  const stop = async () => {
    await Promise.all([client.stop(), runtime.stop()]);
  };
  context.onStop(stop);
  const { url } = await runtime.call<{ url: string }>('start', { cdkOut });
  const { tokens, openSale } = await prepare(url, buyers);
  const unexpected: string[] = [];

  const loadOf = async (kind: RequestKind, round: string, ms: number): Promise<Loaded> => {
    const saleId = kind === 'placed' ? `bench-open-${round}` : soldOutSale;
    const requestsMax = kind === 'placed' ? buyers * unitsPerBuyer : Number.MAX_SAFE_INTEGER;
    if (kind === 'placed') await openSale(saleId, requestsMax);
    const path = kind === 'constant' ? constantPath(saleId) : `/v1/sales/${saleId}/orders`;
    const load: Load = {
      url,
      path,
      body: JSON.stringify(order),
      tokens,
      connections,
      durationMs: ms,
      requestsMax,
      keyPrefix: `key-${kind}-${round}`,
    };
    const loaded = await client.call<Loaded>('load', load);
    for (const [status, count] of Object.entries(loaded.statuses)) {
      if (Number(status) !== statusOf[kind]) unexpected.push(`${count} × ${status} for ${kind}: ${loaded.samples[Number(status)]}`);
    }
    return loaded;
  };

  return {
    unexpected,
    stop,
    async send(kind, round) {
      context.signal.throwIfAborted();
      await becomesQuiet(runtime, quietTimesMax * durationMs);
      const before = await runtime.call<RuntimeCpu>('cpu');
      const loaded = await loadOf(kind, round, durationMs);
      return sentOf(loaded, before, await runtime.call<RuntimeCpu>('cpu'));
    },
    async profile(kind) {
      context.signal.throwIfAborted();
      await becomesQuiet(runtime, quietTimesMax * durationMs);
      await runtime.call('startProfiles');
      await loadOf(kind, 'profile', durationMs);
      return runtime.call<RuntimeProfiles>('stopProfiles', { containers });
    },
  };
}

function sentOf({ requests, elapsedMs, latencyMs, clientCpuMicros }: Loaded, before: RuntimeCpu, after: RuntimeCpu): Sent {
  if (requests === 0) throw new Error('not one request was answered');
  const database = before.database === undefined || after.database === undefined ? undefined : after.database - before.database;
  return {
    perSecond: (1_000 * requests) / elapsedMs,
    latencyMs,
    cpu: {
      runtime: (after.runtime - before.runtime) / requests,
      redis: (after.redis - before.redis) / requests,
      database: database === undefined ? undefined : database / requests,
      client: clientCpuMicros / requests,
    },
  };
}

/** What follows from orders (events, views) is over, or at least has had its time. */
async function becomesQuiet(runtime: Remote, quietMsMax: number): Promise<void> {
  const [stepMs, busyShareMax] = [200, 0.1];
  const deadlineMs = performance.now() + quietMsMax;
  for (let last = await runtime.call<RuntimeCpu>('cpu'); performance.now() < deadlineMs; ) {
    await pause(stepMs);
    const now = await runtime.call<RuntimeCpu>('cpu');
    if (now.runtime - last.runtime < stepMs * 1_000 * busyShareMax) return;
    last = now;
  }
}

async function prepare(url: string, buyers: number) {
  const connection = new Connection(url, { connections: 8, timeoutMs: 30_000 });
  try {
    const anyone = new Client(connection);
    const callers = localCallers(anyone, 'bench');
    const operatorToken = await callers.operator();
    const tokens = (await callers.buyers(buyers)).map(({ token }) => token);
    const operator = anyone.as(operatorToken);
    done(await operator.createProduct({ sku: productSku, name: 'A place', priceMinor: 2_500, currency: 'EUR' }));
    done(await operator.createSale(saleOf(soldOutSale, 1), 'sold-out'));
    done(
      await anyone
        .as(tokens[0] ?? '')
        .placeOrder(soldOutSale, { items: [{ sku: productSku, quantity: 1 }], payment: { method: 'external' } }, 'the-last'),
    );
    const openSale = async (saleId: string, units: number) => {
      const opening = new Connection(url, { connections: 1, timeoutMs: 30_000 });
      try {
        done(await new Client(opening, operatorToken).createSale(saleOf(saleId, units), saleId));
      } finally {
        await opening.close();
      }
    };
    return { tokens, openSale };
  } finally {
    await connection.close();
  }
}

function saleOf(saleId: string, units: number) {
  const nowMs = Date.now();
  const [opensAt, closesAt] = [nowMs - 60_000, nowMs + 24 * 3_600_000].map((ms) => new Date(ms).toISOString()) as [string, string];
  return { saleId, name: saleId, opensAt, closesAt, holdSeconds: 3_600, perBuyerLimit: unitsPerBuyer, items: [{ sku: productSku, units }] };
}

function done(answer: Answer<unknown>): void {
  if (!answer.ok) throw new Error(`the runtime answered ${answer.status}: ${answer.text.slice(0, 500)}`);
}
