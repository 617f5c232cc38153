import type { Bug } from '../bug.ts';

const reserve = 'lua/stock/reserve.lua';
const plainHold = 'lua/stock/lib/plain-hold.lua';
const acknowledge = 'lua/stock/acknowledge.lua';

/** The scripts that hold units and give them back. */
export const stockBugs: readonly Bug[] = [
  {
    name: 'hold-of-a-key-given-to-another-payload',
    harm: 'A key that is used again for something else gets the units of what it was used for first.',
    edits: [
      {
        file: reserve,
        search: "if hash ~= payload_hash or buyer ~= buyer_id then return 'KEY_REUSED' end",
        replace: "if buyer ~= buyer_id then return 'KEY_REUSED' end",
      },
    ],
    caughtBy: { test: 'scripts/stock.reserve', name: 'never gives the hold of a key to another payload or another buyer' },
  },
  {
    name: 'pause-checked-by-a-remembered-sale',
    harm: 'A sale goes on selling after its pause was answered, wherever a container remembers it as open.',
    edits: [
      { file: reserve, search: "if control == 'paused' then return 'PAUSED' end\n", replace: '' },
      { file: plainHold, search: "'^open|", replace: "'^%a+|" },
      {
        file: 'functions/orders/place.ts',
        search: "  if (!sale) return { outcome: 'unknown-sale' };",
        replace: `  if (!sale) return { outcome: 'unknown-sale' };
  if (sale.control === 'paused') return { outcome: 'paused' };`,
      },
    ],
    caughtBy: { test: 'scripts/stock.reserve', name: 'takes nothing outside the window or while paused' },
  },
  {
    name: 'plain-hold-for-whoever-has-units',
    harm: 'A buyer at the limit gets one unit more by each new key.',
    edits: [{ file: plainHold, search: ' and not found[3]', replace: '' }],
    caughtBy: { test: 'scripts/stock.reserve', name: 'holds a buyer to the limit over all their holds, and nobody else to theirs' },
  },
  {
    name: 'plain-hold-of-what-came-back',
    harm: 'Units that came back are never sold: each hold takes one that nobody has had.',
    edits: [{ file: plainHold, search: "(%d+)|0$')", replace: "(%d+)|%d+$')" }],
    caughtBy: { test: 'scripts/stock.reserve', name: 'gives returned units first, lowest first, then goes on with the serials' },
  },
  {
    name: 'only-the-first-seat-of-a-set-is-looked-at',
    harm: 'Of two sets of seats that overlap both win: two people with one seat.',
    edits: [{ file: reserve, search: "      if owner ~= '' then", replace: "      if owner ~= '' and index == 1 then" }],
    caughtBy: { test: 'scripts/stock.seats', name: 'never lets two overlapping sets both win, and the loser holds nothing' },
  },
  {
    name: 'hold-not-on-the-expiry-list',
    harm: 'Units of holds whose buyer’s request died are for sale to nobody any more.',
    edits: [
      { file: reserve, search: "redis.call('RPUSH', EXPIRY, hold_id .. '|' .. expires .. '|' .. born)\n", replace: '' },
      { file: plainHold, search: "      call('RPUSH', KEYS[3], hold_id .. '|' .. expires .. '|' .. born)\n", replace: '' },
    ],
    caughtBy: { test: 'scripts/stock.expiry', name: 'gives a hold whose time is up, as it is, and none before its time' },
  },
  {
    name: 'births-by-the-clock-alone',
    harm: 'After a failover to a clock that is behind, a fresh attempt is born before the tombstone of the last one and never gets its order.',
    edits: [
      {
        file: reserve,
        search:
          "if #born < #born_floor or #born == #born_floor and born <= born_floor then born = string.format('%.0f', born_floor + 1) end\n",
        replace: '',
      },
      { file: plainHold, search: 'is_open and (#born > #born_floor or #born == #born_floor and born > born_floor)', replace: 'is_open' },
    ],
    caughtBy: {
      test: 'scripts/stock.ends',
      name: 'lets a fresh attempt follow a tombstone, born later than it even if the clock has stepped back',
    },
  },
  {
    name: 'unit-twice-in-a-cart',
    harm: 'A cart that is given a unit which it has already can be read by no script any more, and no cart after it ends.',
    edits: [{ file: 'lua/stock/cart-set.lua', search: ' and keep_own(POOLS, item, sku, had) > 0', replace: ' and false' }],
    caughtBy: { test: 'scripts/stock.doubled', name: 'is in the cart that has it once, however many more are put into it' },
  },
  {
    name: 'unit-twice-in-a-hold',
    harm: 'A hold that is swapped gets a unit which it has already, and never becomes an order.',
    edits: [
      {
        file: 'lua/stock/swap.lua',
        search: '  each_run(kept, function(first, last) item.free = item.free - take_out(POOLS.free, sku, first, last) end)\n',
        replace: '',
      },
    ],
    caughtBy: { test: 'scripts/stock.doubled', name: 'is in the hold that has it once after a swap of others' },
  },
  {
    name: 'surplus-of-a-hold-stays-held',
    harm: 'What a hold had beyond its order is for sale to nobody.',
    edits: [{ file: acknowledge, search: '    give_back(POOLS, item, line.sku, pick(line.serials, kept, false))\n', replace: '' }],
    caughtBy: { test: 'scripts/stock.ends', name: 'gives what the hold has beyond its order back for sale' },
  },
  {
    name: 'no-mark-of-an-end-that-redis-had-not-heard-of',
    harm: 'The key of a cancelled order takes units once more, which nobody will ever pay.',
    edits: [
      {
        file: acknowledge,
        search: "  redis.call('HSET', SALE, field, ended_text(hold or order))\n",
        replace: "  if hold then redis.call('HSET', SALE, field, ended_text(hold)) end\n",
      },
    ],
    caughtBy: { test: 'scripts/stock.ends', name: 'remembers an ended order that Redis did not know, so that a retry takes no units' },
  },
  {
    name: 'late-word-of-a-live-order-revives-its-hold',
    harm: 'An acknowledgement that was on its way while the order ended takes its units out of sale for good.',
    edits: [
      {
        file: acknowledge,
        search: "if has_ended and not is_retired then return { 'ALREADY_ENDED' } end",
        replace: "if has_ended and order_state == 'ended' then return { 'ALREADY_ENDED' } end",
      },
      {
        file: acknowledge,
        search: "if has_ended then return { 'ALREADY_ENDED' } end\nif hold and hold.state == 'C'",
        replace: "if has_ended and is_retired then return { 'ALREADY_ENDED' } end\nif hold and hold.state == 'C'",
      },
    ],
    caughtBy: { test: 'scripts/stock.ends', name: 'no late word of a live one brings the hold back' },
  },
  {
    name: 'allowance-stays-used-after-a-release',
    harm: 'A buyer whose hold ran out is refused by the limit.',
    edits: [{ file: 'lua/stock/lib/returns.lua', search: '  change_slots(sale_key, hold.buyer_id, hold.slots, 0)\n', replace: '' }],
    caughtBy: { test: 'scripts/stock.ends', name: 'gives units and allowance back once, however often it runs (order)' },
  },
  {
    name: 'tombstone-ends-a-younger-hold',
    harm: 'A late sweep takes the units from a fresh attempt that is about to become an order.',
    edits: [
      {
        file: 'lua/stock/release.lua',
        search: "  if tonumber(hold.born_us) > born_us then return { 'ALREADY_ENDED' } end\n",
        replace: '',
      },
    ],
    caughtBy: { test: 'scripts/stock.ends', name: 'leaves a hold alone that is younger than the tombstone' },
  },
  {
    name: 'swap-takes-units-out-of-other-holds',
    harm: 'Units of others’ holds become suspects and are sold while those holds still have them.',
    edits: [
      {
        file: 'lua/stock/swap.lua',
        search: '  each_run(pick(had, line.is_owned, true), function',
        replace: '  each_run(line.owned, function',
      },
    ],
    caughtBy: { test: 'scripts/stock.swap', name: 'leaves units alone that are in somebody else’s hold' },
  },
  {
    name: 'expired-holds-taken-off-the-list-for-good',
    harm: 'A sweeper that dies in the middle of its page leaves holds behind that nobody will ever end.',
    edits: [
      {
        file: 'lua/stock/take-expired.lua',
        search: "if #again > 0 then redis.call('RPUSH', UNDECIDED, unpack(again)) end\n",
        replace: '',
      },
    ],
    caughtBy: {
      test: 'scripts/stock.expiry',
      name: 'gives each hold to one taker at a time, and again after the retry time if nobody ended it',
    },
  },
  {
    name: 'checkout-leaves-the-cart',
    harm: 'The same units are in an order and in a cart, and the cart’s end puts them back on sale.',
    edits: [
      {
        file: 'lua/stock/cart-checkout.lua',
        search: "redis.call('HDEL', SALE, 'h:' .. cart_id)\nredis.call('ZREM', CARTS, cart_id)\n",
        replace: '',
      },
    ],
    caughtBy: { test: 'scripts/cart.checkout', name: 'leaves nothing behind in Redis that its order or its end does not take away' },
  },
  {
    name: 'expired-cart-checked-out',
    harm: 'A cart is an order’s hold and expired at the same time: its units are sold and for sale.',
    edits: [
      {
        file: 'lua/stock/lib/carts.lua',
        search:
          '  if now_ms < tonumber(cart.expires_at_ms) then return cart, false end\n  end_cart(sale_key, pools, carts_key, cart_id, cart)\n  return nil, true\n',
        replace:
          '  if now_ms < tonumber(cart.expires_at_ms) then return cart, false end\n  end_cart(sale_key, pools, carts_key, cart_id, cart)\n  return read_hold(record), true\n',
      },
    ],
    caughtBy: {
      test: 'scripts/cart.checkout',
      name: 'is either one’s, and its units are in one place',
    },
  },
  {
    name: 'cart-that-lives-for-ever',
    harm: 'Whoever changes a cart often enough keeps its units from everybody else, without ever paying.',
    edits: [
      {
        file: 'lua/stock/lib/carts.lua',
        search: 'return math.min(now_ms + hold_ms, math.floor(born_us / 1000) + CART_LIVES * hold_ms)',
        replace: 'return now_ms + hold_ms',
      },
    ],
    caughtBy: { test: 'scripts/cart.lines', name: 'is a hold’s from each change on, and three holds’ from its birth at most' },
  },
  {
    name: 'slots-stay-used-when-a-hold-goes-back',
    harm: 'Whoever lets a hold expire has used up that part of the allowance, until a reconciliation gives it back.',
    edits: [
      {
        file: 'lua/stock/lib/returns.lua',
        search: '  change_slots(sale_key, hold.buyer_id, hold.slots, 0)\nend',
        replace: 'end',
      },
    ],
    // Only where nobody reconciles is it seen at the end.
    caughtBy: { seeds: 7, breaks: '4 stock is conserved' },
  },
];
