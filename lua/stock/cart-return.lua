-- Give a hold that was a cart back to the cart: its order was refused, and it will have none. Its units stay the buyer's.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- ARGV[1] holdId   ARGV[2] bornUs   ARGV[3] cartId
-- -> RETURNED lines | RELEASED lines | ALREADY_ENDED | ORDER_EXISTS | UNKNOWN_HOLD | NOT_LOADED
-- A tombstone says that there will be no order of this birth, before this runs: it ends the hold as release does for a tombstone.
-- RELEASED: the units went back for sale, because the hold's time is up, it lost slots, or the buyer's cart has no room for them any more.
-- The cart ends when the hold would have: checking out and being refused is no way to keep units for longer.
if #KEYS ~= 5 or #ARGV ~= 3 then return bad_call('cart-return arity') end
local SALE, CARTS = KEYS[1], KEYS[5]
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local hold_id, born_us, cart_id = ARGV[1], whole(ARGV[2], 1, TIME_US_MAX), ARGV[3]
if not born_us then return bad_call('cart-return born') end
if not is_id(cart_id) or not can_own_seats(cart_id) or hold_id == cart_id then return bad_call('cart-return id') end

local found = redis.call('HMGET', SALE, 's', 'h:' .. hold_id, 'h:' .. cart_id)
if not found[1] then return { 'NOT_LOADED' } end
if not found[2] then return { 'UNKNOWN_HOLD' } end
local hold = read_hold(found[2])
if hold.state == 'E' then return { 'ALREADY_ENDED' } end
if hold.state ~= 'H' then return { 'ORDER_EXISTS' } end
if tonumber(hold.born_us) > born_us then return { 'ALREADY_ENDED' } end
local limit = tonumber((select(4, string.match(found[1], SALE_RECORD))))
local now_ms = clock()
local cart = live_cart(SALE, POOLS, CARTS, cart_id, found[3], now_ms)
if cart then without_lost_seats(POOLS, cart_id, cart) end
without_lost_seats(POOLS, hold_id, hold)
local items, unknown = read_items(SALE, skus_of(hold.lines))
if not items then error('BROKEN hold of unknown item ' .. unknown) end
if line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end

local units = count_units(hold.lines)
local has_room = units + count_units(cart and cart.lines or {}) <= UNITS_PER_HOLD_MAX
local has_slots = limit == 0 or count_slots(hold.slots) >= units
local is_kept = units > 0 and has_room and has_slots and now_ms < tonumber(hold.expires_at_ms)
local text = lines_text(hold.lines)
if not is_kept then
  give_all_back(SALE, POOLS, items, hold_id, hold)
  if cart then shrink_cart(SALE, CARTS, cart_id, cart) end
else
  unwatch_hold(SALE, hold)
  cart = cart or {
    state = 'K', born_us = hold.born_us, expires_at_ms = hold.expires_at_ms, payload_hash = '-', buyer_id = hold.buyer_id, slots = 0, lines = {},
  }
  local lines = {}
  for _, line in ipairs(cart.lines) do
    lines[line.sku] = line
  end
  for _, line in ipairs(hold.lines) do
    if line.seats then put_seats(POOLS.seats, line.sku, line.seats, cart_id) end
    local own = lines[line.sku]
    if not own then
      cart.lines[#cart.lines + 1] = line
    else
      -- Both may have a unit that was handed out twice (see keep_own).
      local list = own.seats or own.serials
      for _, unit in ipairs(pick(line.seats or line.serials, set_of(list), false)) do
        list[#list + 1] = unit
      end
      if own.serials then table.sort(own.serials) end
    end
  end
  cart.slots = bit.bor(cart.slots, hold.slots)
  shrink_cart(SALE, CARTS, cart_id, cart)
end
redis.call('HDEL', SALE, 'h:' .. hold_id, 'w:' .. hold_id)
raise_born_floor(SALE, found[1], ARGV[2])
return { is_kept and 'RETURNED' or 'RELEASED', text }
