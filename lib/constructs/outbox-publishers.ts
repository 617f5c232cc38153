import type { OutboxMode } from '../../functions/shared/outbox.ts';

/** The outbox was asked for in a mode that there is not. */
export class UnknownOutboxMode extends Error {
  override readonly name = 'UnknownOutboxMode';
}

/** Who publishes what the outbox says, of a whole deployment. */
export interface OutboxPublishers {
  /** How functions write rows: whose they are to publish. */
  readonly writes: OutboxMode;
  /** Whether the table's stream is listened to. The poller always runs, for what the stream could not publish and for rows of another mode. */
  readonly listensToStream: boolean;
}

/**
 * `both` is the step between the two when a deployed system changes from one to the other: rows are written for the poller, and the stream
 * still publishes what was written before. Some events are published twice meanwhile, none is lost.
 */
const publishersOf: Readonly<Record<string, OutboxPublishers>> = {
  stream: { writes: 'stream', listensToStream: true },
  both: { writes: 'polling', listensToStream: true },
  polling: { writes: 'polling', listensToStream: false },
};

export const outboxModeNames = Object.keys(publishersOf);

/** By name; `stream` when none is given. Throws `UnknownOutboxMode`. */
export function outboxPublishers(mode: unknown = 'stream'): OutboxPublishers {
  const publishers = typeof mode === 'string' && Object.hasOwn(publishersOf, mode) ? publishersOf[mode] : undefined;
  if (!publishers) throw new UnknownOutboxMode(`OUTBOX_MODE must be one of ${outboxModeNames.join(', ')}, not ${String(mode)}`);
  return publishers;
}
