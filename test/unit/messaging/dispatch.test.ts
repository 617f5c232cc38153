import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BusEntry, dispatch, entriesMax, type Verdict } from '../../../functions/messaging/dispatch.ts';
import { busEntriesOf } from '../../../functions/messaging/outbox.ts';
import { orderEventNames, orderEvents } from '../../../functions/orders/order.events.ts';
import { eventsOf, outboxRow } from '../../../functions/orders/outbox.model.ts';
import { saleEventNames, saleEvents } from '../../../functions/sales/sale.events.ts';
import { type SaleOutboxRow, saleSubject } from '../../../functions/sales/sale-outbox.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';

const records = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    recordId: String(index),
    entries: busEntriesOf(
      outboxRow({ next: anOrder({ holdId: freshHoldId() }), events: ['OrderPlaced', 'StockReserved', 'PaymentAuthorised'] }),
    ),
  }));

const idsOf = (entries: readonly BusEntry[]) => entries.map(({ detail }) => (detail as { eventId: string }).eventId);

describe('the dispatcher', () => {
  it('publishes every event once, ten at most a call, when the bus takes them', async () => {
    const calls: BusEntry[][] = [];
    const all = records(23);
    const failed = await dispatch(all, {
      publish: async (entries) => {
        calls.push([...entries]);
        return entries.map(() => 'taken' as const);
      },
    });
    expect(failed).toEqual([]);
    expect(Math.max(...calls.map((call) => call.length))).toBeLessThanOrEqual(entriesMax);
    expect(idsOf(calls.flat()).sort()).toEqual(all.flatMap(({ entries }) => idsOf(entries)).sort());
  });

  it('reports exactly the rows of which an event was not taken, whichever entries or calls fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.func(fc.constantFrom('taken', 'refused', 'lost')), async (count, fate) => {
        const all = records(count);
        const refused = new Set<string>();
        const failed = await dispatch(all, {
          publish: async (entries): Promise<Verdict[]> => {
            const lost = fate(idsOf(entries).join()) === 'lost';
            const verdicts = idsOf(entries).map((id) => (lost || fate(id) === 'refused' ? { refused: 'no' } : 'taken'));
            for (const [index, id] of idsOf(entries).entries()) if (verdicts[index] !== 'taken') refused.add(id);
            if (lost) throw new Error('the call was lost');
            return verdicts;
          },
        });
        const expected = all.filter(({ entries }) => idsOf(entries).some((id) => refused.has(id))).map(({ recordId }) => recordId);
        expect(failed.map(({ recordId }) => recordId).sort()).toEqual(expected.sort());
      }),
    );
  });
});

describe('an event', () => {
  it('has the form that its schema promises, whatever the order', () => {
    for (const name of orderEventNames) {
      const order = anOrder({ status: 'FAILED', failure: 'PAYMENT_DECLINED' });
      const events = eventsOf(outboxRow({ next: order, events: name === 'OrderUpdated' ? [] : [name] }));
      const event = events.find((each) => each.name === name);
      expect(orderEvents[name].parse(event?.detail)).toEqual(event?.detail);
      expect(event?.detail.eventId).toBe(`${order.orderId}#1#${name}`);
    }
  });
});

describe('an event of a sale', () => {
  const row: SaleOutboxRow = {
    subject: saleSubject('drop'),
    version: 7,
    saleId: 'drop',
    by: 'olga',
    changes: {},
    events: [],
    atMs: 1_700_000_000_000,
  };
  const data = {
    SaleCreated: { by: 'olga', items: [{ sku: 'tee', total: 10, seated: false }] },
    SaleRescheduled: { by: 'olga', opensAt: '2026-11-27T09:00:00.000Z', closesAt: '2026-11-27T10:00:00.000Z' },
    SaleOpened: { by: 'olga' },
    SalePaused: { by: 'olga' },
    SaleClosed: { by: 'olga', reason: 'rain', cancelled: true },
    StockAdjusted: { by: 'olga', reason: 'a second row', sku: 'tee', delta: 2, total: 12, seated: false },
  };

  it('has the form that its schema promises, and a source of its own', () => {
    for (const name of saleEventNames) {
      const [entry] = busEntriesOf({ ...row, events: [{ name, data: data[name] }] });
      expect(entry).toMatchObject({ source: 'stampede.sales', name, atMs: row.atMs });
      expect(saleEvents[name].parse(entry?.detail)).toEqual(entry?.detail);
      expect(entry?.detail).toMatchObject({ eventId: `drop#7#${name}`, occurredAt: '2023-11-14T22:13:20.000Z' });
    }
  });

  it('is never taken for one of an order, nor an order’s for it', () => {
    expect(busEntriesOf({ ...row })).toEqual([]);
    expect(() => busEntriesOf({ ...row, subject: 'drop' })).toThrow();
    expect(() => busEntriesOf({ ...outboxRow({ next: anOrder(), events: [] }), subject: saleSubject('drop') })).toThrow();
  });
});
