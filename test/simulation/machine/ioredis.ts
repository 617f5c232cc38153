import { createHash } from 'node:crypto';
import type { Container } from './container.ts';
import type { Fault } from './contract.ts';
import { NotSimulated, refuse } from './globals.ts';
import { type Line, type Network, newLine } from './io.ts';
import type { HostedRedis } from './redis.ts';
import { type Reply, ReplyError } from './resp.ts';

interface Options {
  readonly commandTimeout?: number;
  readonly maxRetriesPerRequest?: number | null;
  readonly autoResendUnfulfilledCommands?: boolean;
}

interface RedisHost {
  readonly container: Container;
  readonly network: Network;
  readonly redis: HostedRedis;
  readonly scriptNames: ReadonlyMap<string, string>;
  /** Of all containers, what to do when connections break. */
  readonly onBreak: Set<() => void>;
}

/** Not a service's answer: the connection was gone when the command came there. */
class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone';
}

// ioredis with `maxRetriesPerRequest: 0` and nothing sent again: what had no answer is rejected with this as soon as the connection breaks.
const lostConnection = () =>
  Object.assign(new Error('Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.'), {
    name: 'MaxRetriesPerRequestError',
  });

const errorOf = (fault: Fault): Error => {
  if (fault === 'timeout') return new Error('Command timed out');
  if (fault === 'reset') return lostConnection();
  // What a server answers that serves nobody now: it loads, it has become a replica, or it has no memory left.
  if (fault === 'unavailable') return new ReplyError('LOADING Redis is loading the dataset in memory');
  if (fault === 'conflict') return new ReplyError("READONLY You can't write against a read only replica.");
  return new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
};

/** After a break a client waits 50 ms for its first new attempt (`retryStrategy` of functions/shared/redis.ts). */
const reconnectUs = 50_000;

/** Commands that need more than one connection's plain question and answer. */
const unknownMethods = [
  'pipeline',
  'multi',
  'exec',
  'subscribe',
  'psubscribe',
  'monitor',
  'blpop',
  'brpop',
  'blmove',
  'xread',
  'watch',
  'duplicate',
];

/** ioredis as one container gets it. */
export function ioredisModule(host: RedisHost): object {
  const Redis = function Redis(options: Options = {}) {
    return clientOf(host, options);
  };
  const Cluster = class Cluster {
    constructor() {
      throw new NotSimulated('a cluster of Redis is not in the simulation');
    }
  };
  return { Redis, Cluster, default: Redis, ReplyError };
}

function clientOf(host: RedisHost, options: Options): object {
  if (options.maxRetriesPerRequest !== 0 || options.autoResendUnfulfilledCommands !== false) {
    throw new NotSimulated('an ioredis that sends commands again by itself is not in the simulation');
  }
  const { container, network, redis, onBreak } = host;
  const line = newLine();
  const timeoutMs = options.commandTimeout ?? 60_000;
  const onReady: (() => void)[] = [];
  onBreak.add(() => breakLine(host, line, onReady));
  let isClosed = false;

  const send = (name: string, args: readonly unknown[]): Promise<unknown> => {
    if (isClosed) return Promise.reject(new Error('Connection is closed.'));
    const words = [name.toUpperCase(), ...args.flat(1).map(wordOf)];
    const { incarnation } = redis;
    const extraMs = waitMsOf(redis, words);
    return network
      .exchange(container, {
        target: 'redis',
        operation: operationOf(words, host.scriptNames),
        input: words,
        // Which script it is, its name says.
        ...(words[0] === 'EVAL' ? { told: words.with(1, '') } : {}),
        attempt: 0,
        apply() {
          if (!redis.isUp || redis.incarnation !== incarnation) throw new ConnectionGone();
          const reply = redis.run(words);
          if (reply instanceof ReplyError) throw reply;
          return replyOf(name, reply);
        },
        isAnswer: (error) => error instanceof ReplyError || error instanceof ConnectionGone,
        timeoutMs,
        errorOf: (fault) => errorOf(fault),
        line,
        extraMs: () => extraMs,
      })
      .catch((error: unknown) => {
        throw error instanceof ConnectionGone ? lostConnection() : error;
      });
  };
  const own: Readonly<Record<string, unknown>> = {
    status: 'ready',
    isCluster: false,
    options,
    on: (event: string, listener: () => void) => {
      if (event === 'ready') onReady.push(listener);
      return client;
    },
    once: () => client,
    off: () => client,
    disconnect: () => {
      isClosed = true;
    },
    quit: async () => {
      isClosed = true;
      return 'OK';
    },
    // biome-ignore lint/suspicious/noThenProperty: a client is no promise, whoever asks
    then: undefined,
  };
  // Every command is a method of its name, so that one that is used for the first time needs nothing here.
  const client: object = new Proxy(own, {
    get(target, name) {
      if (typeof name === 'symbol' || name in target) return Reflect.get(target, name);
      if (unknownMethods.includes(name)) return refuse(`${name} of ioredis`);
      return (...args: unknown[]) => send(name, args);
    },
  });
  return client;
}

/** The connection breaks: what waits is rejected when the client hears of it, and what comes next waits for the new connection. */
function breakLine({ container, network }: RedisHost, line: Line, onReady: readonly (() => void)[]): void {
  const lost = [...line.waiting];
  container.after(network.wayUs(), () => {
    for (const fail of lost) fail(lostConnection());
  });
  line.arrivesUs = Math.max(line.arrivesUs, container.nowUs + reconnectUs);
  container.after(reconnectUs, () => {
    for (const listener of onReady) listener();
  });
}

/** As ioredis puts it on the wire. */
function wordOf(value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (value === null || value === undefined) return '';
  throw new NotSimulated(`an argument of kind ${typeof value} for Redis is not in the simulation`);
}

/** EVALSHA and EVAL by the script's name. */
function operationOf(words: readonly (string | number)[], scriptNames: ReadonlyMap<string, string>): string {
  const [name, script] = words.map(String);
  if (name === 'EVALSHA') return scriptNames.get(script ?? '') ?? 'EVALSHA';
  if (name === 'EVAL') return scriptNames.get(sha1(script ?? '')) ?? 'EVAL';
  return name ?? '';
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

/** A WAIT that no replica answers takes all of its time. */
const waitMsOf = (redis: HostedRedis, [name, , ms]: readonly (string | number)[]): number =>
  name === 'WAIT' && !redis.replicaFollows ? Number(ms) : 0;

/** ioredis gives HGETALL and the like as an object. */
function replyOf(name: string, reply: Reply): unknown {
  if (name !== 'hgetall' || !Array.isArray(reply)) return reply;
  return Object.fromEntries(Array.from({ length: reply.length / 2 }, (_, index) => [reply[2 * index], reply[2 * index + 1]]));
}
