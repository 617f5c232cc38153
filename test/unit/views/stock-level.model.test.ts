import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busEntriesOf } from '../../../functions/messaging/outbox.ts';
import { saleSubject } from '../../../functions/sales/sale-outbox.model.ts';
import type { Write } from '../../../functions/shared/dynamo.ts';
import { availableOf, changesOf, groupsOf, type StockMessage, totalsOf } from '../../../functions/views/stock-level.model.ts';
import { StockEvent } from '../../../functions/views/stock-message.schemas.ts';
import { type Life, lives, putInto } from '../../support/histories.ts';

const byItem = <Each extends { saleId: string; sku: string }>(all: readonly Each[]) =>
  all.toSorted((a, b) => `${a.saleId} ${a.sku}`.localeCompare(`${b.saleId} ${b.sku}`));

/** Every message about stock that the outbox rows of these lives ask for. */
const messagesOf = (all: readonly Life[]): StockMessage[] =>
  all
    .flatMap(({ writes }) => writes.flatMap((each) => putInto('outbox', each)))
    .flatMap((row) => busEntriesOf(row))
    .filter(({ name }) => name === 'OrderUpdated')
    .map(({ detail }) => StockEvent.parse(detail));

/** The rows of units after these writes, as a database would have them. */
function unitsAfter(all: readonly Write[]): Record<string, unknown>[] {
  const rows = new Map<string, Record<string, unknown>>();
  const keyOf = (key: Record<string, unknown> = {}) => `${key.bucket} ${key.unit}`;
  for (const { Put, Update, Delete } of all) {
    if (Put?.TableName === 'units' && Put.Item) rows.set(keyOf(Put.Item), Put.Item);
    if (Delete?.TableName === 'units') rows.delete(keyOf(Delete.Key));
    if (Update?.TableName === 'units') {
      rows.set(keyOf(Update.Key), { ...rows.get(keyOf(Update.Key)), state: Update.ExpressionAttributeValues?.[':state'] });
    }
  }
  return [...rows.values()];
}

/** The same figures counted from the rows of units, which are the authority. */
function countedRows(all: readonly Life[]) {
  const rows = unitsAfter(all.flatMap(({ writes }) => writes.flat()));
  const items = Map.groupBy(rows, ({ saleId, sku }) => JSON.stringify([saleId, sku]));
  return byItem(
    [...items].map(([key, units]) => {
      const [saleId, sku] = JSON.parse(key) as [string, string];
      const count = (state: string) => units.filter((unit) => unit.state === state).length;
      return { saleId, sku, held: count('HELD'), sold: count('SOLD'), retired: count('RETIRED') };
    }),
  );
}

const shuffled = <Each>(all: readonly Each[]) => fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });

describe('the figures of a sale', () => {
  it('are what the rows of units say, of orders of either strategy to which anything happens', () => {
    fc.assert(
      fc.property(lives, (all) => {
        expect(byItem(changesOf(messagesOf(all)))).toEqual(countedRows(all));
      }),
      { numRuns: 300 },
    );
  });

  it('are the same however often and in whatever order the messages come', () => {
    fc.assert(
      fc.property(
        lives.chain((all) => {
          const messages = messagesOf(all);
          return fc.tuple(fc.constant(messages), shuffled([...messages, ...messages, ...messages]));
        }),
        ([messages, delivered]) => {
          expect(byItem(changesOf(delivered))).toEqual(byItem(changesOf(messages)));
        },
      ),
    );
  });

  it('are the same in whatever groups the messages are counted, each of which fits into one transaction', () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 5, max: 20 }), (all, writesMax) => {
        const messages = messagesOf(all);
        const groups = groupsOf(messages, writesMax);
        expect(groups.flat()).toEqual(messages);
        for (const group of groups) expect(group.length + changesOf(group).length).toBeLessThanOrEqual(writesMax);
        const total = new Map<string, number>();
        const add = ({ saleId, sku, held, sold, retired }: ReturnType<typeof changesOf>[number]) => {
          for (const [place, units] of Object.entries({ held, sold, retired }))
            total.set(`${saleId} ${sku} ${place}`, (total.get(`${saleId} ${sku} ${place}`) ?? 0) + units);
        };
        for (const group of groups) for (const change of changesOf(group)) add(change);
        for (const { saleId, sku, held, sold, retired } of changesOf(messages))
          for (const [place, units] of Object.entries({ held, sold, retired })) expect(total.get(`${saleId} ${sku} ${place}`)).toBe(units);
      }),
    );
  });

  it('give the newest total, whatever comes after it', () => {
    const totals = (saleVersion: number, total: number): StockMessage => ({
      kind: 'totals',
      eventId: `drop#${saleVersion}#StockAdjusted`,
      saleId: 'drop',
      saleVersion,
      totals: [{ sku: 'tee', total }],
    });
    for (const order of [
      [totals(1, 10), totals(4, 15), totals(2, 12)],
      [totals(4, 15), totals(1, 10), totals(4, 15)],
    ])
      expect(totalsOf(order)).toEqual([{ saleId: 'drop', sku: 'tee', total: 15, saleVersion: 4 }]);
  });

  it('never show more than there are, nor less than nothing, while messages are still to come', () => {
    const level = { saleId: 'drop', sku: 'tee', held: 0, sold: 0, retired: 0 };
    expect(availableOf(level)).toBeUndefined();
    expect(availableOf({ ...level, total: 10, held: 2, sold: 3, retired: 1 })).toBe(4);
    expect(availableOf({ ...level, total: 10, held: -2 })).toBe(10);
    expect(availableOf({ ...level, total: 10, sold: 11 })).toBe(0);
  });

  it('take an event of stock for what it is, and nothing else for one', () => {
    const row = { subject: saleSubject('drop'), version: 3, saleId: 'drop', by: 'olga', changes: {}, atMs: 0 };
    const events = [
      { name: 'SaleCreated', data: { by: 'olga', items: [{ sku: 'tee', total: 10, seated: false }] } },
      { name: 'StockAdjusted', data: { by: 'olga', reason: 'more', sku: 'tee', delta: 2, total: 12, seated: false } },
    ];
    const parsed = busEntriesOf({ ...row, events }).map(({ detail }) => StockEvent.parse(detail));
    expect(parsed).toMatchObject([
      { kind: 'totals', saleVersion: 3, totals: [{ sku: 'tee', total: 10 }] },
      { kind: 'totals', saleVersion: 3, totals: [{ sku: 'tee', total: 12 }] },
    ]);
    for (const [opened] of [busEntriesOf({ ...row, events: [{ name: 'SaleOpened', data: { by: 'olga' } }] })])
      expect(StockEvent.safeParse(opened?.detail).success).toBe(false);
  });
});
