-- Put a run of units that another shard has lent on sale here, once.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV[1] from (the donor's number, 0 to 63)   ARGV[2] seq   ARGV[3] sku   ARGV[4] units ('1-3,7', up to 1,000)
-- -> RECEIVED count | ALREADY_RECEIVED | NOT_YET | NOT_LOADED     count: the units that were not for sale here already
-- NOT_YET: units are beyond those that have been heard of here. They stay on their way until it has (see shard-supply.lua).
-- `g:<from>` has the seq of the last run that came from there; one that is not higher has come before.
if #KEYS ~= 3 or #ARGV ~= 4 then return bad_call('shard-receive arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local from, seq, sku = whole(ARGV[1], 0, SHARDS_MAX - 1), whole(ARGV[2], 1, TIME_US_MAX), ARGV[3]
local serials = expand(ARGV[4], LENT_UNITS_MAX)
if not from or not seq then return bad_call('shard-receive from') end
if not is_sku(sku) or not serials or #serials == 0 then return bad_call('shard-receive line') end
local field = 'g:' .. from
local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
if found[2] and tonumber(found[2]) >= seq then return { 'ALREADY_RECEIVED' } end
local items = read_items(SALE, { sku })
if not items or items[sku].is_seated then return bad_call('shard-receive item ' .. sku) end
local item = items[sku]
if serials[#serials] >= item.next_serial then return { 'NOT_YET' } end

local before = item.free
give_back(POOLS, item, sku, serials)
write_items(SALE, items)
redis.call('HSET', SALE, field, ARGV[2])
return { 'RECEIVED', item.free - before }
