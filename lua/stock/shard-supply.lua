-- Put on sale what of an item's new units is this shard's.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV[1] sku   ARGV[2] after (the total that this shard has heard of)   ARGV[3] total (the new one)
--   then per range of its own, 0 to 250, ascending: first, last
-- -> SUPPLIED count | CHANGED | NOT_LOADED     count: the units that were not for sale here already
-- CHANGED: it has heard of another total, by which the ranges have to be told anew. Nothing was done.
local argc = #ARGV
if #KEYS ~= 3 or argc < 3 or argc > 3 + 2 * 250 or argc % 2 == 0 then return bad_call('shard-supply arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local sku, after, total = ARGV[1], whole(ARGV[2], 0, SERIAL_MAX), whole(ARGV[3], 1, SERIAL_MAX)
if not is_sku(sku) or not after or not total or total <= after then return bad_call('shard-supply total') end
local ranges, highest = {}, after
for at = 4, argc, 2 do
  local first, last = whole(ARGV[at], highest + 1, total), whole(ARGV[at + 1], 1, total)
  if not first or not last or last < first then return bad_call('shard-supply range') end
  ranges[#ranges + 1] = { first, last }
  highest = last
end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local items = read_items(SALE, { sku })
if not items or items[sku].is_seated then return bad_call('shard-supply item ' .. sku) end
local item = items[sku]
if item.total ~= after then return { 'CHANGED' } end

local before = item.free
for _, range in ipairs(ranges) do
  -- Where it is under suspicion its row was to be looked for; that is done as well when it is handed out.
  take_out(POOLS.suspects, sku, range[1], range[2])
  item.free = item.free + put_in(POOLS.free, sku, range[1], range[2])
end
item.total, item.next_serial = total, math.max(item.next_serial, total + 1)
write_items(SALE, items)
return { 'SUPPLIED', item.free - before }
