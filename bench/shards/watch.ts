import { Cluster } from 'ioredis';
import type { RedisClient } from '../../functions/shared/redis.ts';
import { lend, receive, settle } from '../../functions/stock/shards.definitions.ts';
import { reserve } from '../../functions/stock/stock.definitions.ts';
import type { Meter } from '../lib/redis-server.ts';
import { nothingSent, type Overheard, type Sent, together } from './sent.ts';

/** What one server did while the crowd was there. */
export interface Work {
  readonly cpuMicros: number;
  /** Calls of scripts. */
  readonly scripts: number;
}

/** What a crowd meant for the servers and the clients. */
export interface Observed {
  /** By master. */
  readonly work: readonly Work[];
  readonly sent: Sent;
  /** Attempts that looked for units at other shards. */
  readonly elsewhere: number;
  /** Answers that told somebody to try again. */
  readonly sentAway: number;
}

/** Hears what happens around a crowd. */
export interface Witness {
  /** The sale is open, and nobody has come yet. */
  opened(): Promise<void>;
  /** Everybody has their answer, and nothing was read yet to judge them by. */
  answered(): Promise<void>;
  /** An attempt by this connection is about to begin. -> is called when it has its answer */
  asks(lane: number): () => void;
  /** Somebody was told to try again. */
  sentAway(): void;
}

/** The scripts that a crowd meets, known everywhere: who sends the first one by its text would be measured. */
export async function teach(redis: RedisClient): Promise<void> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  for (const node of nodes) for (const { text } of [reserve, lend, receive, settle]) await node.script('LOAD', text);
}

/** Watches these servers and, where they are overheard, the buyers' clients, while one crowd is there. */
export function watcher(meters: readonly Meter[], lanes: readonly Overheard[] = []) {
  let cpuBefore: readonly number[] = [];
  let work: readonly Work[] = [];
  let [elsewhere, sentAway] = [0, 0];
  const witness: Witness = {
    async opened() {
      for (const lane of lanes) lane.restart();
      for (const meter of meters) await meter.resetStats();
      cpuBefore = await Promise.all(meters.map((meter) => meter.cpuMicros()));
    },
    async answered() {
      work = await Promise.all(meters.map((meter, at) => workOf(meter, cpuBefore[at] ?? 0)));
    },
    asks(lane) {
      const visits = () => lanes[lane]?.sent().visits;
      const before = visits();
      return () => {
        if (visits() !== before) elsewhere++;
      };
    },
    sentAway: () => void sentAway++,
  };
  return {
    witness,
    observed: (): Observed => ({ work, sent: lanes.map((lane) => lane.sent()).reduce(together, nothingSent), elsewhere, sentAway }),
  };
}

async function workOf(meter: Meter, cpuBefore: number): Promise<Work> {
  const cpuMicros = (await meter.cpuMicros()) - cpuBefore;
  return { cpuMicros, scripts: (await meter.executed()).get('evalsha')?.calls ?? 0 };
}
