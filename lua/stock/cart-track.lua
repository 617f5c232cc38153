-- See to it that a cart ends by itself: its entry among those to be ended is made what its record says.
-- KEYS[1] sale (hash)   KEYS[2] carts (sorted set)
-- ARGV[1] cartId
-- -> TRACKED | ALREADY_TRACKED | NO_CART | NOT_LOADED
if #KEYS ~= 2 or #ARGV ~= 1 then return bad_call('cart-track arity') end
local found = redis.call('HMGET', KEYS[1], 's', 'h:' .. ARGV[1])
if not found[1] then return { 'NOT_LOADED' } end
local state, _, expires_at_ms, _, _, _, lines = string.match(found[2] or '', HOLD_RECORD)
if state ~= 'K' or lines == '' then return { 'NO_CART' } end
local known = redis.call('ZSCORE', KEYS[2], ARGV[1])
if known and tonumber(known) == tonumber(expires_at_ms) then return { 'ALREADY_TRACKED' } end
redis.call('ZADD', KEYS[2], expires_at_ms, ARGV[1])
return { 'TRACKED' }
