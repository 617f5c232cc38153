-- Forget a run of units that another shard has received.
-- KEYS[1] sale (hash)
-- ARGV[1] to (the receiver's number, 0 to 63)   ARGV[2] seq
-- -> SETTLED | NOT_PENDING | NOT_LOADED     NOT_PENDING: another run is on its way there, or none
-- Its number stays, so that the next one's is higher.
if #KEYS ~= 1 or #ARGV ~= 2 then return bad_call('shard-settle arity') end
local SALE, to, seq = KEYS[1], whole(ARGV[1], 0, SHARDS_MAX - 1), whole(ARGV[2], 1, TIME_US_MAX)
if not to or not seq then return bad_call('shard-settle to') end
local field = 't:' .. to
local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
local known, _, pending = read_transit(found[2])
if not pending or tonumber(known) ~= seq then return { 'NOT_PENDING' } end
redis.call('HSET', SALE, field, known .. '|')
return { 'SETTLED' }
