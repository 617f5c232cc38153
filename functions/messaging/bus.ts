import { EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { clientDefaults } from '../shared/aws.ts';
import { log } from '../shared/telemetry.ts';
import type { Bus, BusEntry, Verdict } from './dispatch.ts';

/** Errors of a whole call that its entries are to blame for; after every other the same entries may be sent again. */
const faultsOfEntries = new Set(['ValidationException', 'SerializationException', 'RequestEntityTooLargeException']);

/** The event bus by name. `PutEvents` may take some entries and not others, so each is checked. */
export function eventBus(busName: string): Bus {
  const client = new EventBridgeClient(clientDefaults);

  async function put(entries: readonly BusEntry[]): Promise<PutEventsResultEntry[]> {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: entries.map(({ source, name, detail, atMs }) => ({
          EventBusName: busName,
          Source: source,
          DetailType: name,
          Detail: JSON.stringify(detail),
          Time: new Date(atMs),
        })),
      }),
    );
    return Entries;
  }

  return {
    async publish(entries) {
      const results = await put(entries).catch((error: unknown) => {
        const isTheirs = error instanceof Error && faultsOfEntries.has(error.name);
        if (!isTheirs) throw error;
        return entries.map(() => ({ ErrorCode: error.name, ErrorMessage: error.message }));
      });
      return entries.map((entry, index) => verdictOn(entry, results[index]));
    },
  };
}

function verdictOn({ name }: BusEntry, { EventId, ErrorCode = 'no result', ErrorMessage = '' }: PutEventsResultEntry = {}): Verdict {
  if (EventId !== undefined) return 'taken';
  log.warn('the bus did not take an event', { name, ErrorCode });
  return { refused: `${ErrorCode}${ErrorMessage === '' ? '' : `: ${ErrorMessage}`}` };
}
