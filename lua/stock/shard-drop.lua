-- Take units out of a shard's pools that another shard has, or an order that is at home elsewhere.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV per item, each item once: sku, units ('1-3,7'), at most 1000 units in all
-- -> DROPPED count | NOT_LOADED     count: those that were for sale or under suspicion here
if #KEYS ~= 3 or #ARGV < 2 or #ARGV > 2 * 50 or #ARGV % 2 == 1 then return bad_call('shard-drop arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local lines, seen = {}, {}
for at = 1, #ARGV, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], 1000)
  if not line or line.seats or seen[line.sku] then return bad_call('shard-drop line') end
  seen[line.sku] = true
  lines[#lines + 1] = line
end
if count_units(lines) > 1000 then return bad_call('shard-drop quantity') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local items, unknown = read_items(SALE, skus_of(lines))
if not items then return bad_call('shard-drop item ' .. unknown) end
if line_of_wrong_kind(lines, items) then return bad_call('shard-drop kind') end

local dropped = 0
for _, line in ipairs(lines) do
  local item = items[line.sku]
  each_run(line.serials, function(first, last)
    local free = take_out(POOLS.free, line.sku, first, last)
    item.free = item.free - free
    dropped = dropped + free + take_out(POOLS.suspects, line.sku, first, last)
    note_moved(item, first, last)
  end)
end
write_items(SALE, items)
return { 'DROPPED', dropped }
