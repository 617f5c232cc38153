-- Give a hold's units and slots back, once.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- ARGV[1] holdId   ARGV[2] order|tombstone   ARGV[3] bornUs
-- -> RELEASED lines | ALREADY_ENDED | ORDER_EXISTS | UNKNOWN_HOLD | NOT_LOADED
-- Either the hold's order in DynamoDB has ended, or a tombstone says that there will be none of this birth, before this runs.
-- So a lost reply costs a rerun and never a unit.
-- A seat goes back only if this hold still has it: an order that turned out to own it may have taken it.
-- order: whatever the hold's birth and state. A mark stays, so that a retry of the key looks up its order and takes no units.
-- tombstone: not a hold younger than the tombstone, which is a fresh attempt (ALREADY_ENDED), and not one that an order has (ORDER_EXISTS).
--   Nothing stays, so that a fresh attempt may follow; its birth will be later than the tombstone's.
if #KEYS ~= 4 or #ARGV ~= 3 then return bad_call('release arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local field, cause, born_us = 'h:' .. ARGV[1], ARGV[2], whole(ARGV[3], 1, TIME_US_MAX)
if cause ~= 'order' and cause ~= 'tombstone' then return bad_call('release cause') end
if not born_us then return bad_call('release born') end

local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
if not found[2] then return { 'UNKNOWN_HOLD' } end
local hold = read_hold(found[2])
if hold.state == 'E' then return { 'ALREADY_ENDED' } end
if cause == 'tombstone' then
  if hold.state ~= 'H' then return { 'ORDER_EXISTS' } end
  if tonumber(hold.born_us) > born_us then return { 'ALREADY_ENDED' } end
end
local items, unknown = read_items(SALE, skus_of(hold.lines))
if not items then error('BROKEN hold of unknown item ' .. unknown) end
if line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end

give_all_back(SALE, POOLS, items, ARGV[1], hold)
if cause == 'order' then
  redis.call('HSET', SALE, field, ended_text(hold))
else
  redis.call('HDEL', SALE, field)
  raise_born_floor(SALE, found[1], ARGV[3])
end
redis.call('HDEL', SALE, 'w:' .. ARGV[1])
return { 'RELEASED', lines_text(hold.lines) }
