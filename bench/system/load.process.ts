import { Pool } from 'undici';
import { serveParent } from './remote.ts';

// Whoever sends requests has a process of its own, so that the compiler's options of others are not its own and its CPU is told apart.

export interface Load {
  readonly url: string;
  readonly path: string;
  readonly body: string;
  /** Senders take turns. */
  readonly tokens: readonly string[];
  /** Each request has a key of its own that begins with this. */
  readonly keyPrefix: string;
  readonly connections: number;
  readonly durationMs: number;
  /** No more than these, however much time is left. */
  readonly requestsMax: number;
}

export interface Loaded {
  readonly requests: number;
  readonly elapsedMs: number;
  readonly statuses: Readonly<Record<number, number>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly clientCpuMicros: number;
  /** The first answer of each status, to be looked at. */
  readonly samples: Readonly<Record<number, string>>;
}

async function load({ url, path, body, tokens, keyPrefix, connections, durationMs, requestsMax }: Load): Promise<Loaded> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const statuses: Record<number, number> = {};
  const samples: Record<number, string> = {};
  const latencies: number[] = [];
  let sent = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const lane = async () => {
    while (sent < requestsMax && performance.now() - startMs < durationMs) {
      const number = sent++;
      const sentMs = performance.now();
      const { statusCode, body: answer } = await pool.request({
        method: 'POST',
        path,
        headers: {
          authorization: `Bearer ${tokens[number % tokens.length]}`,
          'content-type': 'application/json',
          'idempotency-key': `${keyPrefix}-${number}`,
        },
        body,
      });
      const text = await answer.text();
      latencies.push(performance.now() - sentMs);
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
      samples[statusCode] ??= text;
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, lane));
  } finally {
    await pool.close();
  }
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    ...{ requests: latencies.length, elapsedMs, statuses, samples },
    ...{ latencyMs: { p50: at(0.5), p99: at(0.99) }, clientCpuMicros: user + system },
  };
}

serveParent({ load });
