// biome-ignore-all lint/suspicious/noTemplateCurlyInString: patches are pieces of source text.
import type { Bug } from '../bug.ts';

/** Events, their consumers, and the read models. */
export const messageBugs: readonly Bug[] = [
  {
    name: 'refused-entries-of-a-call-ignored',
    harm: 'Events that the bus did not take are lost: whoever waits for them waits for the sweeper, or for ever.',
    edits: [
      {
        file: 'functions/messaging/bus.ts',
        search: "  if (EventId !== undefined) return 'taken';",
        replace: "  if (EventId !== undefined || ErrorCode !== 'no result') return 'taken';",
      },
    ],
    caughtBy: { test: 'unit/messaging/bus', name: 'says of each entry whether it was taken, and of each other why not' },
  },
  {
    name: 'rows-of-a-silent-bus-not-reported',
    harm: 'While the bus is away for a second, the events of that second are lost.',
    edits: [
      {
        file: 'functions/messaging/dispatch-rows.ts',
        search: 'if (!row || (each.isBusAway && isYoung)) return [each.recordId];',
        replace: 'if (!row || (each.isBusAway && isYoung)) return [];',
      },
    ],
    caughtBy: { test: 'unit/messaging/dispatch-rows', name: 'stay with the stream while the bus is away for seconds' },
  },
  {
    name: 'rows-marked-before-they-are-published',
    harm: 'A poller that dies in between has published nothing, and nobody will.',
    edits: [
      {
        file: 'functions/messaging/poll.ts',
        search: '  for (const each of await dispatch(records, bus)) undelivered.set(each.recordId, each);',
        replace: `  await inParallel(rows, updatesAtOnce, (row) => repository.published(row));
  for (const each of await dispatch(records, bus)) undelivered.set(each.recordId, each);`,
      },
    ],
    caughtBy: { test: 'faults/outbox.polling', name: 'never marks a row as done when publishing it failed' },
  },
  {
    name: 'index-of-the-poller-believed',
    harm: 'Rows that are published long since are published again for as long as the index lags, and set aside ones come back.',
    edits: [
      {
        file: 'functions/messaging/unpublished.repository.ts',
        search: 'return rows.filter(isStillThere).map(unpublishedFrom);',
        replace: 'return rows.map((row) => unpublishedFrom({ pollShard: shard, pollAtMs: untilMs, ...row }));',
      },
    ],
    caughtBy: { test: 'faults/outbox.polling', name: 'publishes no row again that the index still shows and the table has as done' },
  },
  {
    name: 'failed-messages-swallowed',
    harm: 'A message whose step failed is deleted from its queue, and its order waits for the sweeper.',
    edits: [
      {
        file: 'functions/messaging/consumer.ts',
        search: '        await failures?.note(record, error);\n        throw error;\n',
        replace: '        await failures?.note(record, error);\n',
      },
    ],
    caughtBy: { test: 'unit/messaging/consumer', name: 'reports each message that failed by itself, and notes why, whatever it is' },
  },
  {
    name: 'failed-messages-of-a-batch-swallowed',
    harm: 'A view that could not be written stays as it was, until a reconciliation.',
    edits: [
      {
        file: 'functions/views/batch.ts',
        search: 'if (messages.length > 0) for (const [messageId, error] of await project(messages)) failed.set(messageId, error);',
        replace: 'if (messages.length > 0) await project(messages);',
      },
    ],
    caughtBy: { test: 'faults/views.orders', name: 'are not held up by a message that is none' },
  },
  {
    name: 'counted-without-an-inbox',
    harm: 'An event that comes twice is counted twice: a sale that Redis has lost shows fewer units than there are.',
    edits: [
      {
        file: 'functions/views/stock-level.repository.ts',
        search: 'await transact(database, [...eventIds.map((eventId) => inboxWrite(eventId, nowMs)), ...changes.map(changeWrite)]);',
        replace:
          'await transact(database, changes.length > 0 ? changes.map(changeWrite) : eventIds.map((eventId) => inboxWrite(`${eventId}#${nowMs}`, nowMs)));',
      },
    ],
    caughtBy: { test: 'faults/views.stock', name: 'are the same when each event comes five times in any order as when it comes once' },
  },
  {
    name: 'view-goes-back-to-an-older-version',
    harm: 'A buyer’s list shows an order as unpaid that is fulfilled.',
    edits: [{ file: 'functions/views/view.repository.ts', search: "'#version < :version'", replace: "'#version <> :version'" }],
    caughtBy: { test: 'faults/views.orders', name: 'never go back to an older version, whichever write comes last' },
  },
  {
    name: 'older-total-of-a-sale-counted',
    harm: 'The figures of a sale show fewer units than were put on sale.',
    edits: [
      {
        file: 'functions/views/stock-level.repository.ts',
        search: "const isNewer = '#saleVersion < :saleVersion';",
        replace: "const isNewer = '#saleVersion <> :saleVersion';",
      },
    ],
    caughtBy: { test: 'faults/views.stock', name: 'take a newer total and never an older one' },
  },
];
