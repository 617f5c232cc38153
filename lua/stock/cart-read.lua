-- Read a buyer's cart. One whose time is up is ended, and its units are for sale again.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- ARGV[1] cartId
-- -> CART expiresAtMs lines | NOT_LOADED     of an empty cart: 0 and ''
-- A seat that an order turned out to own is not shown.
if #KEYS ~= 5 or #ARGV ~= 1 then return bad_call('cart-read arity') end
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local found = redis.call('HMGET', KEYS[1], 's', 'h:' .. ARGV[1])
if not found[1] then return { 'NOT_LOADED' } end
local cart = live_cart(KEYS[1], POOLS, KEYS[5], ARGV[1], found[2], (clock()))
if cart then without_lost_seats(POOLS, ARGV[1], cart) end
return cart_reply(cart)
