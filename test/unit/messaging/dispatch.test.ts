import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BusEntry, dispatch, entriesMax } from '../../../functions/messaging/dispatch.ts';
import { orderEventNames, orderEvents } from '../../../functions/orders/order.events.ts';
import { eventsOf, outboxRow } from '../../../functions/orders/outbox.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';

const records = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    recordId: String(index),
    row: outboxRow({ next: anOrder({ holdId: freshHoldId() }), events: ['OrderPlaced', 'StockReserved', 'PaymentAuthorised'] }),
  }));

const idsOf = (entries: readonly BusEntry[]) => entries.map(({ detail }) => (detail as { eventId: string }).eventId);

describe('the dispatcher', () => {
  it('publishes every event once, ten at most a call, when the bus takes them', async () => {
    const calls: BusEntry[][] = [];
    const all = records(23);
    const failed = await dispatch(
      all,
      {
        publish: async (entries) => {
          calls.push([...entries]);
          return entries.map(() => true);
        },
      },
      'stampede.orders',
    );
    expect(failed).toEqual([]);
    expect(Math.max(...calls.map((call) => call.length))).toBeLessThanOrEqual(entriesMax);
    expect(idsOf(calls.flat()).sort()).toEqual(all.flatMap(({ row }) => eventsOf(row).map(({ detail }) => detail.eventId)).sort());
  });

  it('reports exactly the rows of which an event was not taken, whichever entries or calls fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.func(fc.constantFrom('taken', 'refused', 'lost')), async (count, fate) => {
        const all = records(count);
        const refused = new Set<string>();
        const failed = await dispatch(
          all,
          {
            publish: async (entries) => {
              const lost = fate(idsOf(entries).join()) === 'lost';
              const taken = entries.map((entry) => !lost && fate(idsOf([entry])[0]) !== 'refused');
              for (const [index, entry] of entries.entries()) if (!taken[index]) refused.add((entry.detail as { orderId: string }).orderId);
              if (lost) throw new Error('the call was lost');
              return taken;
            },
          },
          'stampede.orders',
        );
        const expected = all.filter(({ row }) => refused.has(row.orderId)).map(({ recordId }) => recordId);
        expect(failed.sort()).toEqual(expected.sort());
      }),
    );
  });
});

describe('an event', () => {
  it('has the form that its schema promises, whatever the order', () => {
    for (const name of orderEventNames) {
      const order = anOrder({ status: 'FAILED', failure: 'PAYMENT_DECLINED' });
      const [event] = eventsOf(outboxRow({ next: order, events: [name] }));
      expect(orderEvents[name].parse(event?.detail)).toEqual(event?.detail);
      expect(event?.detail.eventId).toBe(`${order.orderId}#1#${name}`);
    }
  });
});
