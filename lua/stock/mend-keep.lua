-- Make the units of an order's hold nobody else's: they leave the free pool, the suspects and the serials to come.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- After the fence: ARGV[1] holdId   then per item, each item once: sku, units ('1-3,7', or seats '@A-1,B-2') that the order has by its rows
-- -> KEPT count | CHANGED | NOT_LOADED | STALE_EPOCH     count: the units that were for sale as well
-- CHANGED: the hold has no order any more, or is another. Of the units named, only those are touched that the hold names itself at this moment: what
-- it has can't be anybody's to buy, whatever happened since it was looked at.
local argc = #ARGV
if #KEYS ~= 4 or argc < 3 or argc > 1 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('mend-keep arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local wanted = {}
for at = 2, argc, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], UNITS_PER_HOLD_MAX)
  if not line then return bad_call('mend-keep line') end
  wanted[line.sku] = set_of(line.serials or line.seats)
end
local record = redis.call('HGET', SALE, 'h:' .. ARGV[1])
local hold = record and read_hold(record)
if not hold or (hold.state ~= 'A' and hold.state ~= 'C') then return { 'CHANGED' } end
local items = read_items(SALE, skus_of(hold.lines))
if not items or line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end

local kept = 0
for _, line in ipairs(hold.lines) do
  local item, units = items[line.sku], pick(line.serials or line.seats, wanted[line.sku] or {}, true)
  local sold_before = available_of(item)
  if line.seats then
    local _, take_seats = seat_moves()
    take_seats(POOLS, item, line.sku, units, ARGV[1])
  else
    adopt(POOLS, item, line.sku, units)
  end
  kept = kept + sold_before - available_of(item)
end
write_items(SALE, items)
return { 'KEPT', kept }
