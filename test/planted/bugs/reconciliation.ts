import type { Bug } from '../bug.ts';

/** What makes up for what nobody reported, and must not do harm itself. */
export const reconciliationBugs: readonly Bug[] = [
  {
    name: 'freed-though-it-moved-meanwhile',
    harm: 'A unit that a buyer took while the reconciler looked is put back on sale under that buyer’s hold.',
    edits: [
      {
        file: 'lua/stock/mend-free.lua',
        search: 'ipairs(pick(pair.serials, set_of(expand(text, WATCHED_MAX)), true)) do',
        replace: 'ipairs(pair.serials) do',
      },
      {
        file: 'lua/stock/mend-free.lua',
        search: 'local freed = bit.band(tonumber(text), pair.slots)',
        replace: 'local freed = pair.slots',
      },
    ],
    caughtBy: { test: 'scripts/stock.mend', name: 'left alone when their hold gave them back and another took them in between' },
  },
  {
    name: 'units-that-move-stay-on-the-watch',
    harm: 'What was nobody’s for a moment is freed by the reconciler though somebody has it by now.',
    edits: [
      {
        file: 'lua/stock/lib/holds.lua',
        search: '    if item.moved then unwatch(sale_key, sku, item.moved) end\n',
        replace: '',
      },
    ],
    caughtBy: { test: 'scripts/stock.mend', name: 'are freed without those among them that moved' },
  },
  {
    name: 'counter-set-from-a-snapshot',
    harm: 'The reconciler forgets every unit that was sold while it counted, and the sale says sold out, or sells what it has not.',
    edits: [
      {
        file: 'lua/stock/mend-count.lua',
        search: "if redis.call('HGET', SALE, 'i:' .. sku) ~= item_text(item) .. count_mark(token) then return { 'CHANGED' } end\n",
        replace: '',
      },
    ],
    caughtBy: { test: 'scripts/stock.mend', name: 'are not set when a unit moved during the count, even if it came back' },
  },
  {
    name: 'rows-not-read-before-units-are-freed',
    harm: 'A unit that an order owns, and whose hold Redis has forgotten, is put back on sale.',
    edits: [
      {
        file: 'functions/reconciliation/free-loose.ts',
        search: 'return { ...drift, serials: unheld.filter((serial) => !owned.has(serial)) };',
        replace: 'return { ...drift, serials: unheld };',
      },
    ],
    caughtBy: {
      test: 'faults/reconcile.planted',
      name: 'leaves a unit alone that nobody seems to have, and that an order claims while it is looked into',
    },
  },
  {
    name: 'mended-after-the-sale-was-loaded-anew',
    harm: 'What was seen of a Redis that is gone is done to the one that took its place.',
    edits: [
      {
        file: 'lua/stock/lib/fence.lua',
        search: "if tonumber((select(8, string.match(FENCED, SALE_RECORD)))) ~= SEEN_EPOCH then return { 'STALE_EPOCH' } end\n",
        replace: '',
      },
    ],
    caughtBy: { test: 'faults/reconcile.behind', name: 'repairs nothing of a sale that was loaded anew since it was looked at' },
  },
  {
    name: 'mark-cleared-while-orders-are-on-their-way',
    harm: 'A winner whose order Redis never heard of is told that the sale is sold out.',
    edits: [
      {
        file: 'functions/reconciliation/reconcile-sale.ts',
        search:
          'const hasSettled = memory.behindSinceMs !== undefined && fromMs - timing.recentMs >= memory.behindSinceMs + timing.inFlightMs;',
        replace: 'const hasSettled = memory.behindSinceMs !== undefined && fromMs >= memory.behindSinceMs - timing.inFlightMs;',
      },
    ],
    caughtBy: { test: 'faults/reconcile.behind', name: 'stays marked as long as an order may have been on its way when Redis forgot' },
  },
  {
    name: 'mark-cleared-that-was-set-anew',
    harm: 'Redis is caught forgetting while it is compared, and the mark that says so is taken off.',
    edits: [
      {
        file: 'lua/stock/mend-behind.lua',
        search: "  if found ~= token then return { 'CHANGED' } end\n",
        replace: "  if not found then return { 'CHANGED' } end\n",
      },
    ],
    caughtBy: { test: 'scripts/stock.mend', name: 'is taken off only by whoever began, and when nobody has set it anew since' },
  },
  {
    name: 'orders-judged-that-changed-a-moment-ago',
    harm: 'An order that is being confirmed at this moment is called drift, and mended by what it was.',
    edits: [
      {
        file: 'functions/reconciliation/compare.ts',
        search: 'const isRecent = order !== undefined && order.updatedAtMs > clock.nowMs() - timing.recentMs;',
        replace: 'const isRecent = order !== undefined && order.updatedAtMs > clock.nowMs() + timing.recentMs;',
      },
    ],
    caughtBy: { test: 'faults/reconcile.behind', name: 'leaves an old order alone that changed a moment ago' },
  },
];
