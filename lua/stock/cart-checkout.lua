-- Turn a buyer's cart into the hold of an order-to-be: all of it or nothing, once per hold id. Afterwards there is no cart.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- KEYS[6] expiry (list)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   ARGV[4] cartId
-- -> RESERVED bornUs expiresAtMs slots lines state wanted     state as reserve says; wanted: the lines that the cart had, '' when not known any more
--  | NOT_LOADED | KEY_REUSED | ENDED | BUYER_LIMIT limit used | NOT_OPEN scheduled|closed | PAUSED | CART_EMPTY | CART_EXPIRED
--  | SEAT_TAKEN sku seats
-- The checks are made in that order: a replay of the hold comes before the sale's state and the cart. Of a hold that lost units to a swap which was
-- refused, `lines` are fewer than `wanted`: an order must have all of them.
-- SEAT_TAKEN: an order turned out to own seats of the cart, which has the rest from then on.
if #KEYS ~= 6 or #ARGV ~= 4 then return bad_call('cart-checkout arity') end
local SALE, CARTS, EXPIRY = KEYS[1], KEYS[5], KEYS[6]
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local hold_id, buyer_id, payload_hash, cart_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not (is_id(hold_id) and is_id(buyer_id) and is_id(payload_hash) and is_id(cart_id)) then return bad_call('cart-checkout id') end
if not can_own_seats(hold_id) or hold_id == cart_id then return bad_call('cart-checkout id') end

local found = redis.call('HMGET', SALE, 's', 'h:' .. hold_id, 'h:' .. cart_id, 'w:' .. hold_id)
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms, born_floor = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end

if found[2] then
  local state, born, expires, hash, buyer, slots, lines = string.match(found[2], HOLD_RECORD)
  if state == 'E' then return { 'ENDED' } end
  if hash ~= payload_hash or buyer ~= buyer_id then return { 'KEY_REUSED' } end
  if state == 'H' and control == 'cancelled' then return { 'NOT_OPEN', 'closed' } end
  if state == 'H' and tonumber(limit) > 0 and lacks_slots(slots, lines) then
    -- A hold that lost slots to other orders of the buyer (mend) must not become an order: it would slip past the limit.
    return { 'BUYER_LIMIT', limit, count_slots(tonumber(redis.call('HGET', SALE, 'b:' .. buyer_id) or 0)) }
  end
  return { 'RESERVED', born, expires, slots, lines, state, found[4] or '' }
end

local now_ms, born_us = clock()
if control == 'closed' or control == 'cancelled' or now_ms >= tonumber(closes_at) then return { 'NOT_OPEN', 'closed' } end
if now_ms < tonumber(opens_at) then return { 'NOT_OPEN', 'scheduled' } end
if control == 'paused' then return { 'PAUSED' } end
local cart, has_expired = live_cart(SALE, POOLS, CARTS, cart_id, found[3], now_ms)
if not cart then return { has_expired and 'CART_EXPIRED' or 'CART_EMPTY' } end
if cart.buyer_id ~= buyer_id then error('BROKEN cart of another buyer') end
local lost = without_lost_seats(POOLS, cart_id, cart)
if lost then
  shrink_cart(SALE, CARTS, cart_id, cart)
  return { 'SEAT_TAKEN', lost.sku, table.concat(lost.seats, ',') }
end

if tonumber(born_us) <= tonumber(born_floor) then born_us = string.format('%.0f', born_floor + 1) end
local lines = lines_text(cart.lines)
cart.state, cart.born_us, cart.payload_hash = 'H', born_us, payload_hash
cart.expires_at_ms = string.format('%.0f', now_ms + hold_ms)
for _, line in ipairs(cart.lines) do
  if line.seats then put_seats(POOLS.seats, line.sku, line.seats, hold_id) end
end
redis.call('HSET', SALE, 'h:' .. hold_id, hold_text(cart), 'w:' .. hold_id, lines)
unwatch_hold(SALE, cart)
redis.call('HDEL', SALE, 'h:' .. cart_id)
redis.call('ZREM', CARTS, cart_id)
redis.call('RPUSH', EXPIRY, hold_id .. '|' .. cart.expires_at_ms .. '|' .. born_us)
return { 'RESERVED', born_us, cart.expires_at_ms, cart.slots, lines, '', lines }
