-- Begin to load a sale's stock. What an earlier load left is cleared: nobody sees it, because the sale counts as loaded only when it is published.
-- KEYS[1] sale (hash)   KEYS[2] to KEYS[8] the sale's other keys: free, suspects, expiry, undecided, seats, carts, chunks
-- ARGV[1] epoch
-- -> BEGUN | ALREADY_LOADED | STALE_EPOCH     the latter: a load of a higher epoch is under way
-- Each load has an epoch of its own, so whoever began before can put in no more.
-- The version note `v` stays: what is published later must not be older than what somebody has brought.
if #KEYS ~= 8 or #ARGV ~= 1 then return bad_call('load-begin arity') end
local SALE, epoch = KEYS[1], whole(ARGV[1], 1, SERIAL_MAX)
if not epoch then return bad_call('load-begin epoch') end
local found = redis.call('HMGET', SALE, 's', 'l', 'v')
if found[1] then return { 'ALREADY_LOADED' } end
if found[2] and tonumber(found[2]) > epoch then return { 'STALE_EPOCH' } end

redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', SALE, 'l', epoch)
if found[3] then redis.call('HSET', SALE, 'v', found[3]) end
return { 'BEGUN' }
