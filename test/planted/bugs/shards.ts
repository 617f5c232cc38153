import type { Bug } from '../bug.ts';

const lend = 'lua/stock/shard-lend.lua';
const receive = 'lua/stock/shard-receive.lua';
const gather = 'functions/stock/gather.ts';
const saleStock = 'functions/stock/sale-stock.ts';

/** Units that the shards of a sale give each other, and what one of them may say for all. */
export const shardBugs: readonly Bug[] = [
  {
    name: 'lent-units-stay-for-sale',
    harm: 'Two shards sell the same units; each time the second buyer is refused by the row, and asks for others.',
    edits: [
      { file: lend, search: '  take_out(FREE, sku, first, final)\n  note_moved(item, first, final)\n', replace: '' },
      { file: lend, search: 'item.free = item.free - lent\n', replace: '' },
    ],
    caughtBy: { test: 'faults/shards', name: 'are moved once, however often the steps are repeated in whatever order' },
  },
  {
    name: 'receiver-forgets-what-has-come',
    harm: 'A run that is brought a second time is for sale once more, though its units were sold by then.',
    edits: [{ file: receive, search: "redis.call('HSET', SALE, field, ARGV[2])\n", replace: '' }],
    caughtBy: { test: 'faults/shards', name: 'are moved once, however often the steps are repeated in whatever order' },
  },
  {
    name: 'second-run-while-one-is-under-way',
    harm: 'The run that was under way is written over, and its units are in no shard until somebody compares everything.',
    edits: [{ file: lend, search: "if pending then return { 'LENT', before, pending_sku, pending } end\n", replace: '' }],
    caughtBy: { test: 'faults/shards', name: 'are moved once, however often the steps are repeated in whatever order' },
  },
  {
    name: 'runs-numbered-by-the-clock-alone',
    harm: 'After a failover to a clock that is behind, the receiver takes a new run for an old one, and its units are in no shard.',
    edits: [{ file: lend, search: "if tonumber(seq) <= tonumber(before) then seq = string.format('%.0f', before + 1) end\n", replace: '' }],
    caughtBy: { test: 'scripts/shards', name: 'numbers each run higher than the one before, also after the clock has stepped back' },
  },
  {
    name: 'settled-before-the-receiver-has-it',
    harm: 'Whoever dies between the two steps takes the units along: no shard has them, and nothing tells of them.',
    edits: [
      {
        file: gather,
        search: '    const received = await shards.receive(sale, transit);\n',
        replace: '    await shards.settle(sale, transit);\n    const received = await shards.receive(sale, transit);\n',
      },
    ],
    caughtBy: {
      test: 'unit/stock/gather',
      name: 'forgets a run at the donor only when the receiver has it, and a replica of the receiver too',
    },
  },
  {
    name: 'settled-without-a-replica',
    harm: 'A failover of the receiver forgets units that the donor has forgotten as well.',
    edits: [{ file: gather, search: '      await shards.replicated(sale, transit.to);\n', replace: '' }],
    caughtBy: {
      test: 'unit/stock/gather',
      name: 'forgets a run at the donor only when the receiver has it, and a replica of the receiver too',
    },
  },
  {
    name: 'sold-out-after-one-look',
    harm: 'A buyer is refused for good while a unit that was for sale all the time hops from a shard not yet looked at to one that was.',
    edits: [{ file: gather, search: '      if (before === now) {\n', replace: '      if (before !== undefined || now) {\n' }],
    caughtBy: { test: 'unit/stock/gather', name: 'does not say dry when a unit hopped behind its back' },
  },
  {
    name: 'looks-that-do-not-see-what-came',
    harm: 'The same, at two looks: what came to a shard in between, and was sold, is not noticed.',
    edits: [
      {
        file: gather,
        search: "      const now = [atHome, ...seen.map(({ received }) => received)].join(' ');\n",
        replace: '      const now = String(atHome);\n',
      },
    ],
    caughtBy: { test: 'unit/stock/gather', name: 'does not say dry when a unit hopped behind its back' },
  },
  {
    name: 'what-the-home-says-is-the-answer',
    harm: 'Buyers whose home is dry are told that all is sold out, while other shards have units.',
    edits: [
      { file: saleStock, search: '      if (!short) return reply;\n', replace: '      if (!short || attempt === 0) return reply;\n' },
    ],
    caughtBy: { test: 'scripts/shards', name: 'gives the very last units, spread over all shards, to whoever asks for as many' },
  },
  {
    name: 'dry-for-ever',
    harm: 'A container that has once seen all shards dry never sells what comes back in another shard than the buyer’s.',
    edits: [
      {
        file: gather,
        search: 'agoMs < dryMs',
        replace: 'agoMs < Number.POSITIVE_INFINITY * dryMs',
      },
    ],
    caughtBy: { test: 'faults/shards', name: 'sells a unit that was given back in one shard to a buyer of another' },
  },
  {
    name: 'a-shard-that-is-lost-counts-as-empty',
    harm: 'While a node of the cluster has lost its shards, buyers at home elsewhere are told for good that the sale is sold out.',
    edits: [
      {
        file: gather,
        search: '      if (!isWhole) return absent(failure);\n      const now =',
        replace: '      if (failure) return absent(failure);\n      const now =',
      },
    ],
    caughtBy: {
      test: 'unit/stock/gather',
      name: 'gets what others have while a shard is away, and says neither dry nor sold when they have nothing',
    },
  },
  {
    name: 'runs-under-way-left-to-themselves',
    harm: 'Units that somebody died with on their way stay there until a home happens to be dry.',
    edits: [{ file: saleStock, search: '      for (const transit of pending) await complete(sale, transit);\n', replace: '' }],
    caughtBy: { test: 'faults/shards', name: 'are brought there by the sweeper when whoever moved them died after step 1' },
  },
  {
    name: 'lost-shard-dealt-what-others-have',
    harm: 'After one shard was lost, it sells once more what the shards that lived have for sale, in carts and in holds.',
    edits: [
      {
        file: 'functions/stock/rebuild.ts',
        search: '  const totals = await seeLive(sale, live, owned, stock);\n',
        replace: '  const totals = await seeLive(sale, live.slice(0, 0), owned, stock);\n',
      },
    ],
    caughtBy: { test: 'faults/shards', name: 'with one shard leaves a sale that fails closed, is rebuilt, and sells each unit once' },
  },
  {
    name: 'lost-shard-dealt-what-is-on-its-way-to-it',
    harm: 'Units that were on their way to a shard when it was lost are for sale there twice over: by the deal, and when they come.',
    edits: [
      {
        file: 'functions/stock/rebuild-shards.ts',
        search: '      for (const serial of unitsOfTransit(transit)) owned.get(transit.sku)?.add(serial);\n',
        replace: '      log.info("on its way", { saleId: sale.saleId, units: unitsOfTransit(transit) });\n',
      },
    ],
    caughtBy: { test: 'faults/shards', name: 'while units are on their way between two others is dealt none of them' },
  },
  {
    name: 'restock-taken-by-every-shard',
    harm: 'After a restock each shard sells all of the new units.',
    edits: [
      {
        file: 'functions/stock/shards.model.ts',
        search: '    if (at % shards === shard && first <= last) ranges',
        replace: '    if ((shards === 1 || shard >= 0) && first <= last) ranges',
      },
    ],
    caughtBy: { test: 'faults/shards', name: 'takes a restock in every shard, also in one that hears of it late' },
  },
];
