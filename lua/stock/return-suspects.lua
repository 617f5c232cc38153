-- Put suspects that turned out to have no row in DynamoDB back on sale.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- ARGV per item, each item once: sku, units ('17-40', or seats '@A-1,B-2'), at most 1000 units in all
-- -> RETURNED count | NOT_LOADED     count: the units that were still under suspicion; the others are left alone
-- The rows were read a moment ago, so a unit may have been claimed since: it is then handed out once more, refused by its row, and swapped.
local argc = #ARGV
if #KEYS ~= 4 or argc < 2 or argc > 2 * 50 or argc % 2 == 1 then return bad_call('return-suspects arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local lines, seen = {}, {}
for at = 1, argc, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], 1000)
  if not line or seen[line.sku] then return bad_call('return-suspects line') end
  seen[line.sku] = true
  lines[#lines + 1] = line
end
if count_units(lines) > 1000 then return bad_call('return-suspects quantity') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local items, unknown = read_items(SALE, skus_of(lines))
if not items then return bad_call('return-suspects item ' .. unknown) end
if line_of_wrong_kind(lines, items) then return bad_call('return-suspects kind') end

local function return_serials(item, line)
  local returned = 0
  each_run(line.serials, function(first, last)
    -- Beyond the total that Redis knows nothing is for sale: such a unit waits until the restock has come here too.
    if first > item.total then return end
    take_out(POOLS.suspects, line.sku, first, math.min(last, item.total), function(from, to)
      returned = returned + to - from + 1
      item.free = item.free + put_in(POOLS.free, line.sku, from, to)
      note_moved(item, from, to)
    end)
  end)
  return returned
end

local returned = 0
for _, line in ipairs(lines) do
  local item = items[line.sku]
  returned = returned + (line.seats and clear_seats(POOLS, item, line.sku, line.seats) or return_serials(item, line))
end
write_items(SALE, items)
return { 'RETURNED', returned }
