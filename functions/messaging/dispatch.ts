import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';

/** One event as the bus takes it. */
export interface BusEntry {
  readonly source: string;
  readonly name: string;
  readonly detail: unknown;
  readonly atMs: number;
}

export interface Bus {
  /** Publishes at most `entriesMax` entries; says for each whether the bus has taken it. Throws when nothing is known. */
  publish(entries: readonly BusEntry[]): Promise<boolean[]>;
}

/** A row of the outbox as it came over the stream, and the events that it asks for. */
export interface DispatchRecord {
  readonly recordId: string;
  readonly entries: readonly BusEntry[];
}

/** PutEvents takes ten entries a call. */
export const entriesMax = 10;
const callsAtOnce = 4;

/**
 * Publishes every event of the rows, at least once, and returns the ids of the rows of which any event was not taken: those, and by the
 * stream's rule all after the first of them, come again. The bus keeps no order, so calls run side by side.
 */
export async function dispatch(records: readonly DispatchRecord[], bus: Bus): Promise<string[]> {
  const entries = records.flatMap(({ recordId, entries }) => entries.map((entry) => ({ recordId, entry })));
  const calls = Array.from({ length: Math.ceil(entries.length / entriesMax) }, (_, call) =>
    entries.slice(call * entriesMax, (call + 1) * entriesMax),
  );
  const failed = new Set<string>();
  await inParallel(calls, callsAtOnce, async (call) => {
    const taken = await bus.publish(call.map(({ entry }) => entry)).catch((error: unknown) => {
      log.error('events could not be published', { count: call.length, error });
      return [];
    });
    for (const [index, { recordId }] of call.entries()) if (!taken[index]) failed.add(recordId);
  });
  return [...failed];
}
