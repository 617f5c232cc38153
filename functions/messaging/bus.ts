import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { clientDefaults } from '../shared/aws.ts';
import { log } from '../shared/telemetry.ts';
import type { Bus } from './dispatch.ts';

/** The event bus by name. `PutEvents` may take some entries and not others, so each is checked. */
export function eventBus(busName: string): Bus {
  const client = new EventBridgeClient(clientDefaults);
  return {
    async publish(entries) {
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
      return entries.map((entry, index) => {
        const { EventId, ErrorCode } = Entries[index] ?? {};
        if (EventId === undefined) log.warn('the bus did not take an event', { name: entry.name, ErrorCode });
        return EventId !== undefined;
      });
    },
  };
}
