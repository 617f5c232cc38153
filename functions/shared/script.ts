import { createHash } from 'node:crypto';
import * as z from 'zod';
import { clusterIsKnown, type RedisClient } from './redis.ts';

/** The script says that it was called wrongly: arity, a number out of bounds. Nothing was written. */
export class BadCall extends Error {
  override readonly name = 'BadCall';
}

/** Redis did not answer, or not with the script's result: the script may have run, or not. Safe to ask again. */
export class ScriptUnanswered extends Error {
  override readonly name = 'ScriptUnanswered';
}

/** The script itself failed: what Redis has of this one is broken. Redis is there, and others are served. */
export class ScriptFailed extends Error {
  override readonly name = 'ScriptFailed';
}

/** The script answered something that its contract does not have. */
export class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply';
}

/** Outcome by outcome, what follows the word: each schema takes the rest of the reply, and gives an object. */
export type Replies = Readonly<Record<string, z.ZodType<object, unknown[]>>>;
export type Reply<R extends Replies> = { [Word in keyof R & string]: { readonly outcome: Word } & z.output<R[Word]> }[keyof R & string];

type Value = string | number;

interface Definition<Key extends string, Arg extends string, Each extends string, R extends Replies> {
  /** As `capability.verb`, for messages. */
  readonly name: string;
  /** The pieces of the script, in order: what it shares with others, then the script itself. */
  readonly lua: readonly string[];
  readonly keys: readonly Key[];
  readonly args: readonly Arg[];
  /** Names of a group of arguments that follows once per element. */
  readonly each?: readonly Each[];
  readonly replies: R;
}

type Call<Key extends string, Arg extends string, Each extends string> = {
  readonly keys: Readonly<Record<Key, string>>;
  readonly args: Readonly<Record<Arg, Value>>;
} & ([Each] extends [never] ? { readonly each?: never } : { readonly each: readonly Readonly<Record<Each, Value>>[] });

interface Script<Key extends string, Arg extends string, Each extends string, R extends Replies> {
  (redis: RedisClient, call: Call<Key, Arg, Each>): Promise<Reply<R>>;
  /** As Redis gets it. */
  readonly text: string;
  readonly arity: { readonly keys: number; readonly args: number; readonly each: number };
}

/** What follows an outcome that says everything with its word. */
export const bare = z.tuple([]).transform(() => ({}));
/** A number of a reply: Lua gives integers, packed records give digits. */
export const whole = z.coerce.number().pipe(z.int().nonnegative());

/**
 * A Lua script with named keys and arguments and an answer in words; a missing name is a compile error.
 * It runs by its digest, and by its text where Redis does not know it yet. When the connection breaks, it is sent once more on the next one:
 * **every script must be safe to run twice**. Throws `BadCall`, `ScriptFailed`, `ScriptUnanswered` or `UnexpectedReply`.
 */
export function defineScript<
  const Key extends string,
  const Arg extends string = never,
  const Each extends string = never,
  R extends Replies = Replies,
>(definition: Definition<Key, Arg, Each, R>): Script<Key, Arg, Each, R> {
  const { name, keys, args, each = [] } = definition;
  const text = definition.lua.join('\n');
  const digest = createHash('sha1').update(text).digest('hex');

  const script = async (redis: RedisClient, call: Call<Key, Arg, Each>) => {
    const groups: readonly Readonly<Record<Each, Value>>[] = call.each ?? [];
    const values: Value[] = [...keys.map((key) => call.keys[key]), ...args.map((arg) => call.args[arg])];
    for (const group of groups) values.push(...each.map((arg) => group[arg]));
    return decode(name, definition.replies, await runTwiceAtMost(name, () => run(redis, text, digest, keys.length, values)));
  };
  return Object.assign(script, { text, arity: { keys: keys.length, args: args.length, each: each.length } });
}

async function run(redis: RedisClient, text: string, digest: string, keyCount: number, values: Value[]): Promise<unknown> {
  if (redis.isCluster) await clusterIsKnown(redis);
  try {
    return await redis.evalsha(digest, keyCount, ...values);
  } catch (error) {
    if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await redis.eval(text, keyCount, ...values);
  }
}

/** A second attempt when the connection was lost, on the next one: for whatever may run twice. */
export async function runTwiceAtMost<T>(name: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isLostConnection(error)) throw failure(name, error);
  }
  try {
    return await attempt();
  } catch (error) {
    throw failure(name, error);
  }
}

const isReply = (error: unknown): error is Error & { readonly name: 'ReplyError' } => error instanceof Error && error.name === 'ReplyError';
// A command that timed out has used up its caller's time: it is not tried again here.
const isLostConnection = (error: unknown): boolean => error instanceof Error && !isReply(error) && error.message !== 'Command timed out';

/** What Lua raised, by itself or over a key of another kind. A server that serves nobody now (LOADING, READONLY, OOM) has words of its own. */
const isOfScript = (message: string): boolean => /^(ERR|WRONGTYPE) .*\buser_script:\d+/s.test(message);

function failure(name: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (isReply(cause) && message.startsWith('BAD_CALL')) return new BadCall(message, { cause });
  if (isReply(cause) && isOfScript(message)) return new ScriptFailed(`${name}: ${message}`, { cause });
  return new ScriptUnanswered(`${name}: ${message}`, { cause });
}

/** The words of an answer. They come as a list, or as one text with `|` between them where no word can have one. */
export function wordsOf(reply: unknown): readonly unknown[] {
  if (typeof reply === 'string') return reply.split('|');
  return Array.isArray(reply) ? reply : [];
}

function decode<R extends Replies>(name: string, replies: R, reply: unknown): Reply<R> {
  const [outcome, ...rest] = wordsOf(reply);
  const schema = typeof outcome === 'string' && Object.hasOwn(replies, outcome) ? replies[outcome] : undefined;
  const decoded = schema?.safeParse(rest);
  if (!decoded?.success) throw new UnexpectedReply(`${name}: ${JSON.stringify(reply)}`, { cause: decoded?.error });
  return { outcome, ...decoded.data } as Reply<R>;
}
