import type { RedisClient } from '../../../functions/shared/redis.ts';

export type Command = 'evalsha' | 'eval' | 'hscan' | 'zscan' | 'zrangebylex' | 'lrange' | 'hmget' | 'hexists' | 'time';

/** A Redis that answers each command by these replies in turn, and what it was sent. */
export function answering(replies: Partial<Record<Command, readonly unknown[]>>) {
  const sent: unknown[][] = [];
  const left = new Map(Object.entries(replies).map(([command, all]) => [command, [...all]]));
  const answer =
    (command: string) =>
    async (...values: unknown[]) => {
      sent.push(
        command === 'evalsha' ? [command, ...values.slice(1)] : command === 'eval' ? [command, ...values.slice(1)] : [command, ...values],
      );
      const reply = left.get(command)?.shift();
      if (reply instanceof Error) throw reply;
      return reply;
    };
  const commands = [...left.keys()].map((command) => [command, answer(command)]);
  return { redis: { isCluster: false, ...Object.fromEntries(commands) } as unknown as RedisClient, sent };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
