-- End carts whose time is up: their units and slots go back. Nobody else decides about a cart, so it is done here and now.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- ARGV[1] how many carts at most (1 to 100)
-- -> EXPIRED count more | NOT_LOADED     more: 1 when it stopped at its bound: there may be more
-- An entry that is not what its cart says is put right, and that of no cart is dropped.
if #KEYS ~= 5 or #ARGV ~= 1 then return bad_call('cart-expire arity') end
local SALE, CARTS = KEYS[1], KEYS[5]
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local limit = whole(ARGV[1], 1, 100)
if not limit then return bad_call('cart-expire limit') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end

local now_ms = clock()
local due = redis.call('ZRANGEBYSCORE', CARTS, '-inf', string.format('%.0f', now_ms), 'LIMIT', 0, limit)
local count = 0
for _, cart_id in ipairs(due) do
  local cart = live_cart(SALE, POOLS, CARTS, cart_id, redis.call('HGET', SALE, 'h:' .. cart_id), now_ms)
  if cart then
    redis.call('ZADD', CARTS, cart.expires_at_ms, cart_id)
  elseif redis.call('ZREM', CARTS, cart_id) == 0 then
    -- Ended just now: that takes the entry with it.
    count = count + 1
  end
end
return { 'EXPIRED', count, #due == limit and 1 or 0 }
