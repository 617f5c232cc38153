-- Put suspects that turned out to have no row in DynamoDB back on sale.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV per item, each item once: sku, units ('17-40'), at most 1000 units in all
-- -> RETURNED count | NOT_LOADED     count: the units that were still under suspicion; the others are left alone
-- The rows were read a moment ago, so a unit may have been claimed since: it is then handed out once more, refused by its row, and swapped.
local argc = #ARGV
if #KEYS ~= 3 or argc < 2 or argc > 2 * 50 or argc % 2 == 1 then return bad_call('return-suspects arity') end
local SALE, FREE, SUSPECTS = KEYS[1], KEYS[2], KEYS[3]
local lines, seen, units = {}, {}, 0
for at = 1, argc, 2 do
  local sku, serials = ARGV[at], expand(ARGV[at + 1], 1000)
  if not is_sku(sku) or seen[sku] or not serials or #serials == 0 then return bad_call('return-suspects line') end
  seen[sku] = true
  units = units + #serials
  lines[#lines + 1] = { sku = sku, serials = serials }
end
if units > 1000 then return bad_call('return-suspects quantity') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local items, unknown = read_items(SALE, skus_of(lines))
if not items then return bad_call('return-suspects item ' .. unknown) end

local returned = 0
for _, line in ipairs(lines) do
  local item = items[line.sku]
  each_run(line.serials, function(first, last)
    -- Beyond the total that Redis knows nothing is for sale: such a unit waits until the restock has come here too.
    if first > item.total then return end
    take_out(SUSPECTS, line.sku, first, math.min(last, item.total), function(from, to)
      returned = returned + to - from + 1
      item.free = item.free + put_in(FREE, line.sku, from, to)
    end)
  end)
end
write_items(SALE, items)
return { 'RETURNED', returned }
