import type { Random } from '../random.ts';
import { type Reply, ReplyError } from './resp.ts';
import { type Snapshot, Valkey } from './valkey.ts';

export type { Snapshot } from './valkey.ts';

/** A Redis of the machine: commands from outside, and what can happen to it. None of it takes virtual time. */
export interface SimRedis {
  /** Runs a command at once, past the network and its faults, also while it is down. Error replies are thrown (`ReplyError`). */
  command(...words: readonly (string | number)[]): unknown;
  /** As it is now. */
  snapshot(): Snapshot;
  /**
   * Back to a moment of the past, under new ids: a replica that lagged has taken over. One from before the last answered `WAIT` is more than a failover
   * may forget; `failover` never does that.
   */
  rollback(to: Snapshot): void;
  /** Brings the replica, which `WAIT` waits for, up to this moment. */
  replicate(): void;
  /** Whether the replica follows: while it does not, `WAIT` answers 0 after its time. It does unless told otherwise. */
  setReplicaFollows(follows: boolean): void;
  /** The replica takes over, with what it has: what was written since `replicate` and the last `WAIT` is forgotten. New ids. */
  failover(): void;
  /** What is read of a moment of the past, which stays past. */
  at<Read>(moment: Snapshot, read: () => Read): Read;
  /** These keys alone are as they were then, as when one master of a cluster fails over: from the snapshot, or what its replica has. New ids. */
  failoverOf(isOf: (key: string) => boolean, to?: Snapshot): void;
  /** Forgets every key, or these alone, and stays the same server. */
  flush(isOf?: (key: string) => boolean): void;
  /** Comes back empty, another run. */
  restart(): void;
  /** Nobody reaches it from now on: what is under way is rejected as a broken connection rejects it. */
  down(): void;
  up(): void;
  readonly isUp: boolean;
  /** Its run and replication ids, as INFO says them. */
  readonly identity: { readonly runId: string; readonly replicationId: string };
}

/** What the machine needs of it besides. */
export interface HostedRedis extends SimRedis {
  /** Changes whenever connections break: what was sent to another incarnation is not run. */
  readonly incarnation: number;
  readonly replicaFollows: boolean;
  /** Runs a command of a client. Error replies are values. */
  run(words: readonly (string | number)[]): Reply;
  /** Told when connections break. */
  onBreak(listener: () => void): void;
}

/** The server that machines share one after the other: made once per process, as good as new for each. */
export interface SimRedisServer {
  /** For a machine that begins: empty, knowing no script, on the machine's clock and random. The machine before has ended. */
  begin(nowUs: () => number, random: Random): HostedRedis;
  /** Lets go of its memory. Nothing of it runs by itself. */
  stop(): void;
}

/** Before any machine's time. */
const bootUs = Date.UTC(2020, 0, 1) * 1_000;

/** Boots the server, in some milliseconds. */
export function startRedisServer(): SimRedisServer {
  let nowUs = () => bootUs;
  const clock = () => nowUs();
  let valkey: Valkey | undefined = Valkey.boot(clock);
  const fresh = valkey.snapshot();
  const current = (): Valkey => {
    valkey ??= Valkey.resume(clock, fresh);
    return valkey;
  };
  /** The state right after the boot, in a memory of the same size: then not even an address differs from one machine to the next. */
  const renew = () => {
    if (current().bytes !== fresh.memory.byteLength) valkey = undefined;
    current().restore(fresh);
  };
  return {
    begin(machineNowUs, random) {
      renew();
      nowUs = machineNowUs;
      return hosted({ fresh, random, valkey: current, renew });
    },
    stop() {
      valkey = undefined;
    },
  };
}

interface Host {
  readonly fresh: Snapshot;
  readonly random: Random;
  readonly valkey: () => Valkey;
  readonly renew: () => void;
}

function hosted({ fresh, random, valkey, renew }: Host): HostedRedis {
  const newId = () => Array.from({ length: 40 }, () => random.int(16).toString(16)).join('');
  let identity = { runId: newId(), replicationId: newId() };
  let replica = fresh;
  let replicaFollows = true;
  let isUp = true;
  let incarnation = 0;
  const listeners: (() => void)[] = [];
  const breakConnections = () => {
    incarnation += 1;
    for (const listener of listeners) listener();
  };
  const becomeAnother = () => {
    identity = { runId: newId(), replicationId: newId() };
    breakConnections();
  };
  const takeOver = (memory: Snapshot) => {
    valkey().restore(memory);
    becomeAnother();
  };

  const run = (words: readonly (string | number)[]): Reply => {
    const name = String(words[0]).toUpperCase();
    if (name === 'WAIT') {
      // There is one replica, and it follows by being the copy of a moment.
      if (replicaFollows) replica = valkey().snapshot();
      return replicaFollows ? 1 : 0;
    }
    const reply = valkey().run(words);
    return name === 'INFO' && typeof reply === 'string' ? withIdentity(reply, identity) : reply;
  };

  const command = (...words: readonly (string | number)[]): Reply => {
    const reply = run(words);
    if (reply instanceof ReplyError) throw reply;
    return reply;
  };
  const at = <Read>(moment: Snapshot, read: () => Read): Read => {
    const now = valkey().snapshot();
    valkey().restore(moment);
    try {
      return read();
    } finally {
      valkey().restore(now);
    }
  };

  return {
    command,
    run,
    at,
    snapshot: () => valkey().snapshot(),
    rollback(to) {
      replica = to;
      takeOver(to);
    },
    replicate() {
      replica = valkey().snapshot();
    },
    setReplicaFollows(follows) {
      replicaFollows = follows;
    },
    get replicaFollows() {
      return replicaFollows;
    },
    failover: () => takeOver(replica),
    failoverOf(isOf, to = replica) {
      const were = at(to, () => writesOf(command, isOf));
      for (const key of keysOf(command, isOf)) command('DEL', key);
      for (const write of were) command(...write);
      becomeAnother();
    },
    flush(isOf) {
      if (isOf) for (const key of keysOf(command, isOf)) command('DEL', key);
      else command('FLUSHALL');
      replica = valkey().snapshot();
    },
    restart() {
      renew();
      replica = fresh;
      becomeAnother();
    },
    down() {
      isUp = false;
      breakConnections();
    },
    up() {
      isUp = true;
    },
    get isUp() {
      return isUp;
    },
    get identity() {
      return identity;
    },
    get incarnation() {
      return incarnation;
    },
    onBreak: (listener) => void listeners.push(listener),
  };
}

type Command = (...words: readonly (string | number)[]) => Reply;

const wordsOf = (reply: Reply): string[] => (Array.isArray(reply) ? reply.map(String) : []);

const keysOf = (command: Command, isOf: (key: string) => boolean): string[] =>
  wordsOf(command('KEYS', '*'))
    .filter((key) => isOf(key))
    .sort();

/** The commands that write these keys as they are. */
function writesOf(command: Command, isOf: (key: string) => boolean): (string | number)[][] {
  return keysOf(command, isOf).map((key) => {
    const type = String(command('TYPE', key));
    if (type === 'hash') return ['HSET', key, ...wordsOf(command('HGETALL', key))];
    if (type === 'list') return ['RPUSH', key, ...wordsOf(command('LRANGE', key, 0, -1))];
    if (type === 'set') return ['SADD', key, ...wordsOf(command('SMEMBERS', key))];
    if (type === 'zset') return ['ZADD', key, ...pairsTurned(wordsOf(command('ZRANGE', key, 0, -1, 'WITHSCORES')))];
    if (type !== 'string') throw new Error(`${key} is of the type ${type}, which is not in the simulation`);
    const endsMs = Number(command('PEXPIRETIME', key));
    return ['SET', key, String(command('GET', key)), ...(endsMs > 0 ? ['PXAT', endsMs] : [])];
  });
}

/** ZRANGE names the member first, ZADD the score. */
const pairsTurned = (words: readonly string[]): string[] =>
  words.flatMap((word, index) => (index % 2 === 0 ? [words[index + 1] ?? '', word] : []));

const withIdentity = (info: string, { runId, replicationId }: SimRedis['identity']) =>
  info
    .replace(/^run_id:\w*/m, `run_id:${runId}`)
    .replace(/^master_replid:\w*/m, `master_replid:${replicationId}`)
    .replace(/^connected_slaves:\d+/m, 'connected_slaves:1');
