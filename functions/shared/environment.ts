import * as z from 'zod';
import { outboxModes } from './outbox.ts';
import { tables } from './tables.ts';

const name = z.string().min(1);

const tableNames = Object.fromEntries(Object.values(tables).map((table) => [table.environment, name])) as Record<
  (typeof tables)[keyof typeof tables]['environment'],
  typeof name
>;

/** Everything a function may read from its environment. A function asks for the part it uses. */
export const Environment = z.object({
  ...tableNames,
  BUS_NAME: name,
  /** Who publishes the outbox rows that this function writes. */
  OUTBOX_MODE: z.enum(outboxModes).default('stream'),
  /** `redis://` or `rediss://`, host and port. */
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
  /** `cluster` for ElastiCache in cluster mode. */
  REDIS_MODE: z.enum(['single', 'cluster']).default('single'),
  /** The secret with the cache's password; empty for a cache without one. */
  REDIS_AUTH_SECRET: z.string().default(''),
  /** The queue that takes requests for rebuilding a sale that Redis has lost. */
  REBUILD_QUEUE_URL: name,
  /** Every queue of dead letters: a JSON list of `{name, deadUrl, sourceUrl?}`. */
  DEAD_LETTER_QUEUES: name,
  /** What is to be ready before a sale opens, as JSON (see the capacity's model). */
  PREWARM: name,
  /** The alias of the reserve function that the gateway calls. */
  RESERVE_ALIAS_ARN: name,
  /** The function that brings capacity to its level, the role that may invoke it, and the group of the schedules that do. */
  CAPACITY_FUNCTION_ARN: name,
  SCHEDULE_ROLE_ARN: name,
  SCHEDULE_GROUP: name,
  /** The secret that order ids are derived with: `{"current": "…", "previous"?: "…"}`; never rotated while a sale lives. */
  HOLD_SECRET: name,
  /** The secret that ticket codes are signed with: `{"current": "…", "previous"?: "…"}`. */
  TICKET_SECRET: name,
  /**
   * The secret with what payment providers sign with, each `whsec_…` or its base64 alone: `{"current": "…", "previous"?: "…" or ["…"]}`. All of them
   * count, newest first.
   */
  PAYMENT_WEBHOOK_SECRETS: name,
});
export type Environment = z.infer<typeof Environment>;
export type Variable = keyof Environment;

/** The environment is wrong: said at cold start, naming each variable. */
export class BadEnvironment extends Error {
  override readonly name = 'BadEnvironment';
}

/** Parses the named variables, once, at cold start. Throws `BadEnvironment`. */
export function readEnvironment<const V extends Variable>(variables: readonly V[], source = process.env): Pick<Environment, V> {
  const wanted = Object.fromEntries(variables.map((variable) => [variable, Environment.shape[variable]]));
  const parsed = z.object(wanted).safeParse(source);
  if (!parsed.success) throw new BadEnvironment(z.prettifyError(parsed.error));
  return parsed.data as unknown as Pick<Environment, V>;
}
