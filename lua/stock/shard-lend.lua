-- Lend free units to another shard of the sale, once at a time for each of them.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)
-- ARGV[1] to (the receiver's number, 0 to 63)   ARGV[2] sku   ARGV[3] how many units are missing there (1 to 20)
-- -> LENT seq sku units | DRY | NOT_LOADED
-- While a run is on its way there, the answer is that very run, whatever is asked for. A new one is half of what is free, up to 1,000 units, and what is missing.
-- From the end of the pool: what is left here and what goes there stay runs of neighbours.
-- The units are nobody's to sell until the receiver has them; `t:<to>` keeps them until shard-settle (see docs/shards.md).
if #KEYS ~= 2 or #ARGV ~= 3 then return bad_call('shard-lend arity') end
local SALE, FREE = KEYS[1], KEYS[2]
local to, sku, missing = whole(ARGV[1], 0, SHARDS_MAX - 1), ARGV[2], whole(ARGV[3], 1, UNITS_PER_HOLD_MAX)
if not to then return bad_call('shard-lend to') end
if not is_sku(sku) or not missing then return bad_call('shard-lend line') end
local field = 't:' .. to
local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
local before, pending_sku, pending = read_transit(found[2])
if pending then return { 'LENT', before, pending_sku, pending } end
local items = read_items(SALE, { sku })
if not items or items[sku].is_seated then return bad_call('shard-lend item ' .. sku) end
local item = items[sku]
if item.free == 0 then return { 'DRY' } end

local want = math.min(item.free, LENT_UNITS_MAX, math.max(missing, math.ceil(item.free / 2)))
local runs, lent = {}, 0
local from, last = range_below(FREE, sku, SERIAL_MAX)
while from and lent < want and #runs < LENT_RUNS_MAX do
  local first = math.max(from, last - (want - lent) + 1)
  runs[#runs + 1] = { first, last }
  lent = lent + last - first + 1
  from, last = range_below(FREE, sku, from - 1)
end
if lent == 0 then error('BROKEN free pool of ' .. sku) end

local time = redis.call('TIME')
local seq = time[1] .. string.sub('00000' .. time[2], -6)
if tonumber(seq) <= tonumber(before) then seq = string.format('%.0f', before + 1) end
local texts = {}
for index = #runs, 1, -1 do
  local first, final = runs[index][1], runs[index][2]
  take_out(FREE, sku, first, final)
  note_moved(item, first, final)
  texts[#texts + 1] = first == final and tostring(first) or (first .. '-' .. final)
end
item.free = item.free - lent
write_items(SALE, items)
local units = table.concat(texts, ',')
redis.call('HSET', SALE, field, seq .. '|' .. sku .. '|' .. units)
return { 'LENT', seq, sku, units }
