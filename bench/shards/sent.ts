import type { Command } from 'ioredis';
import type { RedisClient } from '../../functions/shared/redis.ts';
import { lend, receive, settle } from '../../functions/stock/shards.definitions.ts';
import { reserve } from '../../functions/stock/stock.definitions.ts';
import { parseUnits } from '../../functions/stock/stock.records.ts';
import { digestOf } from '../lib/bare-script.ts';

/** What clients have sent, as far as it says what a sale's shards do: Redis itself knows no script by its name, and counts reads inside scripts with the others. */
export interface Sent {
  readonly reserves: number;
  /** Reads of a sold-out item. */
  readonly glances: number;
  /** Reads of one shard each, by whoever looks for units. */
  readonly visits: number;
  /** Calls of the scripts that bring units from one shard to another. */
  readonly moving: number;
  /** Runs of units that went so: how many units each. */
  readonly runs: ReadonlyMap<string, number>;
}

export const nothingSent: Sent = { reserves: 0, glances: 0, visits: 0, moving: 0, runs: new Map() };

/** A run that several clients have met is one: it has the same number wherever it is met. */
export const together = (one: Sent, other: Sent): Sent => ({
  reserves: one.reserves + other.reserves,
  glances: one.glances + other.glances,
  visits: one.visits + other.visits,
  moving: one.moving + other.moving,
  runs: new Map([...one.runs, ...other.runs]),
});

const reserveDigest = digestOf(reserve.text);
const receiveDigest = digestOf(receive.text);
const movingDigests: readonly unknown[] = [lend, receive, settle].map(({ text }) => digestOf(text));

interface Counted {
  reserves: number;
  glances: number;
  visits: number;
  moving: number;
  readonly runs: Map<string, number>;
}

/** Exported for its test. */
export const nothingCounted = (): Counted => ({ ...nothingSent, runs: new Map() });

/** Exported for its test. Of commands that nobody counts, nothing is noted. */
export function note(counted: Counted, command: string, words: readonly unknown[]): void {
  if (command === 'hmget') {
    // Whoever looks for units asks what is on its way to shard 0, among others; a glance does not.
    if (words.includes('t:0')) counted.visits++;
    else counted.glances++;
  }
  if (command !== 'evalsha') return;
  const [digest] = words;
  if (digest === reserveDigest) counted.reserves++;
  if (movingDigests.includes(digest)) counted.moving++;
  if (digest === receiveDigest) noteRun(counted, words);
}

function noteRun({ runs }: Counted, [, keyCount, ...words]: readonly unknown[]): void {
  const [to] = words;
  const [from, seq, , units] = words.slice(Number(keyCount));
  runs.set(`${from} ${to} ${seq}`, parseUnits(String(units)).length);
}

/** A client that is overheard. */
export interface Overheard {
  /** What it was asked to send since `restart` was last called. */
  sent(): Sent;
  restart(): void;
}

export function overhear(client: RedisClient): Overheard {
  let counted = nothingCounted();
  const send = client.sendCommand.bind(client) as (command: Command, ...rest: unknown[]) => unknown;
  client.sendCommand = (command: Command, ...rest: unknown[]) => {
    note(counted, command.name, command.args);
    return send(command, ...rest);
  };
  return {
    sent: () => counted,
    restart: () => {
      counted = nothingCounted();
    },
  };
}
