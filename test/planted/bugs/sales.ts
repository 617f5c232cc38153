import type { Bug } from '../bug.ts';

const publish = 'lua/stock/load-publish.lua';

/** Copies of a sale in Redis: changes, loads, rebuilds, leases; and sales that are called off. */
export const saleBugs: readonly Bug[] = [
  {
    name: 'older-copy-of-a-sale-accepted',
    harm: 'Two changes cross on their way to Redis, and a paused sale sells again.',
    edits: [
      {
        file: 'lua/stock/update.lua',
        search: 'if tonumber(known_version) >= version then',
        replace: 'if tonumber(known_version) == version then',
      },
    ],
    caughtBy: { test: 'scripts/stock.update', name: 'ends as the newest, however the copies cross' },
  },
  {
    name: 'change-not-waited-for',
    harm: 'A pause that was answered is gone after a failover, and the sale sells on.',
    edits: [{ file: 'functions/sales/push-sale.ts', search: '    await stock.settled(sale.saleId, sale.shards);\n', replace: '' }],
    caughtBy: { test: 'faults/sale.control', name: 'is answered once it is where a failover finds it, and not before' },
  },
  {
    name: 'restock-not-remembered-by-its-key',
    harm: 'An operator repeats a request whose answer was lost, and twice as many units are on sale as there are.',
    edits: [
      {
        file: 'functions/sales/restock.ts',
        search: '    ports.idempotency.remember(request, answer, ports.clock.nowMs()),\n    ...changeWrites',
        replace: '    ...changeWrites',
      },
    ],
    caughtBy: { test: 'faults/sale.control', name: 'is done once when it was the database whose answer was lost' },
  },
  {
    name: 'lost-sale-loaded-as-if-nothing-were-sold',
    harm: 'A repeat of the request that created the sale puts all sold units back on sale where Redis has lost them.',
    edits: [
      {
        file: 'functions/sales/create-sale.ts',
        search: '  if (!found || found.stockLoaded) return;',
        replace: '  if (!found) return;',
      },
      {
        file: 'functions/sales/create-sale.ts',
        search: 'return sales.markFirstLoad(sale);',
        replace: 'return (await sales.markFirstLoad(sale)) ?? sale;',
      },
    ],
    caughtBy: { test: 'unit/sales/sales', name: 'never loads full stock into a Redis that lost it' },
  },
  {
    name: 'published-without-counting-the-chunks',
    harm: 'A load of which Redis lost a part is published, and the units of that part are sold again.',
    edits: [{ file: publish, search: "if redis.call('SCARD', CHUNKS) ~= chunks then return { 'INCOMPLETE' } end\n", replace: '' }],
    caughtBy: { test: 'scripts/stock.load.publish', name: 'is refused while a chunk is missing' },
  },
  {
    name: 'published-whatever-its-epoch',
    harm: 'A slow rebuilder publishes the load of another one that is half done.',
    edits: [
      {
        file: publish,
        search: "if not found[2] or tonumber(found[2]) ~= epoch then return { 'STALE_EPOCH' } end",
        replace: "if not found[2] then return { 'STALE_EPOCH' } end",
      },
    ],
    caughtBy: { test: 'scripts/stock.load.publish', name: 'adds nothing and publishes nothing, while the other is under way and after it' },
  },
  {
    name: 'published-over-a-newer-version',
    harm: 'A sale that was paused while it was rebuilt comes back open.',
    edits: [{ file: publish, search: "if found[3] and tonumber(found[3]) > version then return { 'STALE_VERSION' } end\n", replace: '' }],
    caughtBy: { test: 'scripts/stock.load', name: 'clears what a load before it left, and keeps the note of the newest version' },
  },
  {
    name: 'chunk-of-an-older-load-accepted',
    harm: 'A rebuilder that was overtaken puts stale rows into the load of the one that overtook it.',
    edits: [
      {
        file: 'lua/stock/lib/loads.lua',
        search: 'return not found[1] and found[2] and tonumber(found[2]) == epoch',
        replace: 'return not found[1] and found[2] and tonumber(found[2]) >= epoch',
      },
    ],
    caughtBy: { test: 'scripts/stock.load.publish', name: 'adds nothing and publishes nothing, while the other is under way and after it' },
  },
  {
    name: 'epoch-without-a-condition',
    harm: 'Two rebuilders have the same epoch and mix their chunks.',
    edits: [
      {
        file: 'functions/sales/sale.repository.ts',
        search: "ConditionExpression: 'epoch = :read',",
        replace: "ConditionExpression: 'epoch >= :read',",
      },
    ],
    caughtBy: { test: 'faults/rebuild.races', name: 'give one right state even without a lease' },
  },
  {
    name: 'rebuilt-sale-not-marked-as-behind',
    harm: 'A winner whose order was on its way during the rebuild is told that the sale is sold out.',
    edits: [{ file: 'functions/stock/rebuild.ts', search: 'items, behind: true });', replace: 'items, behind: false });' }],
    caughtBy: {
      test: 'faults/rebuild',
      name: 'answers the key of an ended order with that order, and takes no unit for it: when all are sold',
    },
  },
  {
    name: 'lease-given-up-by-whoever',
    harm: 'A worker that was paused past its lease takes the next owner’s away, and two work at once.',
    edits: [
      { file: 'lua/lease/release.lua', search: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'LOST' } end\n", replace: '' },
    ],
    caughtBy: { test: 'scripts/lease', name: 'says so when it is lost: it ran out and somebody else has it' },
  },
  {
    name: 'cancelled-sale-done-after-the-first-pass',
    harm: 'An order that was on its way when its sale was called off lives on, and its buyer is not paid back.',
    edits: [
      {
        file: 'functions/sales/end-orders.ts',
        search: 'pass.ended && pass.failed === 0 && pass.startedAtMs >= lastPassFromMs(pass);',
        replace: 'pass.ended && pass.failed === 0;',
      },
    ],
    caughtBy: { test: 'faults/sale.cancel', name: 'is done after a whole pass that began a minute later' },
  },
];
