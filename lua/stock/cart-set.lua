-- Make one line of a buyer's cart exactly this: so many units of a counted item, or these seats of a seated one. All of it or no change.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- ARGV[1] cartId   ARGV[2] buyerId   ARGV[3] sku   ARGV[4] quantity in digits or the seats ('2', '@A-1,B-2'), 1 to 20 units
-- -> CART expiresAtMs lines
--  | NOT_LOADED | UNKNOWN_SKU sku | WRONG_KIND sku counted|seated | UNKNOWN_SEAT sku seat | NOT_OPEN scheduled|closed | PAUSED
--  | BUYER_LIMIT limit used | CART_FULL | SOLD_OUT sku available | SEAT_TAKEN sku seats
-- The words are reserve's, and so is their order. What is set is absolute: run twice, it gives the same cart, and a repeat takes nothing more.
-- available: the most that the line could have, with what it has already. CART_FULL: with its other lines the cart would have more than 20 units.
-- Granted, the cart lives for another hold's time, three hold times at most from its birth. A cart whose time is up is ended first: this is another one.
if #KEYS ~= 5 or #ARGV ~= 4 then return bad_call('cart-set arity') end
local SALE, CARTS = KEYS[1], KEYS[5]
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local cart_id, buyer_id, sku = ARGV[1], ARGV[2], ARGV[3]
if not (is_id(cart_id) and is_id(buyer_id) and can_own_seats(cart_id)) then return bad_call('cart-set id') end
local seats = named_seats(ARGV[4], UNITS_PER_HOLD_MAX)
local quantity = seats and #seats or whole(ARGV[4], 1, UNITS_PER_HOLD_MAX)
if not is_sku(sku) or not quantity then return bad_call('cart-set line') end

local found = redis.call('HMGET', SALE, 's', 'h:' .. cart_id, 'i:' .. sku, 'b:' .. buyer_id)
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
if not found[3] then return { 'UNKNOWN_SKU', sku } end
local now_ms, now_us = clock()
local cart = live_cart(SALE, POOLS, CARTS, cart_id, found[2], now_ms)
if cart then without_lost_seats(POOLS, cart_id, cart) end
-- Read once more: a cart that was ended a moment ago has given back what it had.
local items, mask = read_items(SALE, { sku }), tonumber(redis.call('HGET', SALE, 'b:' .. buyer_id) or 0)
local item = items[sku]
if item.is_seated ~= (seats ~= nil) then return { 'WRONG_KIND', sku, item.is_seated and 'seated' or 'counted' } end

local own, at
for index, line in ipairs(cart and cart.lines or {}) do
  if line.sku == sku then own, at = line, index end
end
local had = own and (own.seats or own.serials) or {}

local fresh, taken = {}, {}
for index, owner in ipairs(seats and seat_owners(POOLS.seats, sku, seats) or {}) do
  if not owner then return { 'UNKNOWN_SEAT', sku, seats[index] } end
  if owner == FREE_SEAT then
    fresh[#fresh + 1] = seats[index]
  elseif owner ~= cart_id then
    taken[#taken + 1] = seats[index]
  end
end

if control == 'closed' or control == 'cancelled' or now_ms >= tonumber(closes_at) then return { 'NOT_OPEN', 'closed' } end
if now_ms < tonumber(opens_at) then return { 'NOT_OPEN', 'scheduled' } end
if control == 'paused' then return { 'PAUSED' } end

local slots_before = cart and cart.slots or 0
local units = count_units(cart and cart.lines or {}) - #had + quantity
local slots = keep_slots(slots_before, units)
if tonumber(limit) > 0 then
  local others = bit.band(mask, bit.bnot(slots_before))
  local missing, used = units - count_slots(slots), count_slots(others) + count_slots(slots)
  if missing > 0 and used + missing > tonumber(limit) then return { 'BUYER_LIMIT', limit, used } end
  slots = slots + grant_slots(bit.bor(others, slots), missing)
end
if units > UNITS_PER_HOLD_MAX and quantity > #had then return { 'CART_FULL' } end
if #taken > 0 then return { 'SEAT_TAKEN', sku, table.concat(taken, ',') } end
if not seats and quantity > #had and keep_own(POOLS, item, sku, had) > 0 then write_items(SALE, items) end
if not seats and quantity - #had > available_of(item) then return { 'SOLD_OUT', sku, #had + available_of(item) } end

local line = { sku = sku }
if seats then
  local give_back_seats, take_seats = seat_moves()
  give_back_seats(POOLS, item, sku, pick(had, set_of(seats), false), cart_id)
  take_seats(POOLS, item, sku, fresh, cart_id)
  line.seats = seats
else
  line.serials = {}
  for index = 1, math.min(quantity, #had) do
    line.serials[index] = had[index]
  end
  give_back(POOLS, item, sku, pick(had, set_of(line.serials), false))
  local want = math.max(0, math.min(item.free, quantity - #had))
  local returned, ranges, rest = find_lowest(POOLS.free, sku, want)
  if #returned ~= want then error('BROKEN free pool of ' .. sku) end
  take_found(POOLS.free, ranges, rest)
  item.free = item.free - want
  for _, serial in ipairs(returned) do
    line.serials[#line.serials + 1] = serial
  end
  while #line.serials < quantity do
    line.serials[#line.serials + 1] = item.next_serial
    item.next_serial = item.next_serial + 1
  end
  table.sort(line.serials)
end
write_items(SALE, items)

cart = cart or { state = 'K', born_us = now_us, expires_at_ms = '0', payload_hash = '-', buyer_id = buyer_id, lines = {} }
cart.lines[at or #cart.lines + 1] = line
local expires_at = cart_expiry(cart.born_us, now_ms, tonumber(hold_ms))
cart.expires_at_ms = string.format('%.0f', math.max(tonumber(cart.expires_at_ms), expires_at))
change_slots(SALE, buyer_id, slots_before, slots)
cart.slots = slots
put_cart(SALE, CARTS, cart_id, cart)
return cart_reply(cart)
