import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';

/** One event as the bus takes it. */
export interface BusEntry {
  readonly source: string;
  readonly name: string;
  readonly detail: unknown;
  readonly atMs: number;
}

/** What the bus says of an entry: that it has it, or why it does not take it. */
export type Verdict = 'taken' | { readonly refused: string };

export interface Bus {
  /** Publishes at most `entriesMax` entries and says of each what became of it. Throws when nothing is known. */
  publish(entries: readonly BusEntry[]): Promise<Verdict[]>;
}

/** A row of the outbox, and the events that it asks for. */
export interface DispatchRecord {
  readonly recordId: string;
  readonly entries: readonly BusEntry[];
}

/** A row of which an event is not on the bus. */
export interface Undelivered {
  readonly recordId: string;
  readonly why: string;
  /** The bus did not answer: it says nothing against the row. */
  readonly isBusAway: boolean;
}

/** PutEvents takes ten entries a call. */
export const entriesMax = 10;
const callsAtOnce = 4;

/**
 * Publishes every event of the rows, at least once, and returns the rows of which any event was not taken. The bus keeps no order, so calls
 * run side by side.
 */
export async function dispatch(records: readonly DispatchRecord[], bus: Bus): Promise<Undelivered[]> {
  const entries = records.flatMap(({ recordId, entries }) => entries.map((entry) => ({ recordId, entry })));
  const calls = Array.from({ length: Math.ceil(entries.length / entriesMax) }, (_, call) =>
    entries.slice(call * entriesMax, (call + 1) * entriesMax),
  );
  const undelivered = new Map<string, Undelivered>();
  await inParallel(calls, callsAtOnce, async (call) => {
    const answer = await bus.publish(call.map(({ entry }) => entry)).catch((error: unknown) => {
      log.error('events could not be published', { count: call.length, error });
      return error instanceof Error ? error : new Error(String(error));
    });
    for (const [index, { recordId }] of call.entries()) {
      const verdict = answer instanceof Error ? { refused: `${answer.name}: ${answer.message}` } : answer[index];
      if (verdict === 'taken') continue;
      const isBusAway = answer instanceof Error;
      // A refusal tells more than silence: it is kept when a row has met both.
      if (isBusAway && undelivered.has(recordId)) continue;
      undelivered.set(recordId, { recordId, why: verdict?.refused ?? 'the bus said nothing of it', isBusAway });
    }
  });
  return [...undelivered.values()];
}
