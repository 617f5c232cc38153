-- End the hold of an order that has ended, once: its units and slots go back, without those that others have by their rows.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- After the fence: ARGV[1] holdId   ARGV[2] bornUs   ARGV[3] slots (bit mask) that the buyer's other orders use
--   then per item, each item once: sku, units ('1-3,7') of the hold that others have     (of seats their fields tell whose they are)
-- -> ENDED count | CHANGED | NOT_LOADED | STALE_EPOCH     count: units that went back
-- CHANGED: it is not the hold that was seen, of this birth and with an order. A mark stays, as release leaves it.
local argc = #ARGV
if #KEYS ~= 4 or argc < 3 or argc > 3 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('mend-end arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local field, born_us, others_slots = 'h:' .. ARGV[1], whole(ARGV[2], 1, TIME_US_MAX), whole(ARGV[3], 0, SLOTS_MASK_MAX)
if not born_us or not others_slots then return bad_call('mend-end number') end
local others = {}
for at = 4, argc, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], UNITS_PER_HOLD_MAX)
  if not line or line.seats then return bad_call('mend-end line') end
  others[line.sku] = set_of(line.serials)
end
local record = redis.call('HGET', SALE, field)
local hold = record and read_hold(record)
if not hold or (hold.state ~= 'A' and hold.state ~= 'C') or tonumber(hold.born_us) ~= born_us then return { 'CHANGED' } end
local items = read_items(SALE, skus_of(hold.lines))
if not items or line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end

local text = ended_text(hold)
for _, line in ipairs(hold.lines) do
  if line.serials then line.serials = pick(line.serials, others[line.sku] or {}, false) end
end
hold.slots = bit.band(hold.slots, bit.bnot(others_slots))
local function free_units()
  local free = 0
  for _, item in pairs(items) do
    free = free + item.free
  end
  return free
end
local free_before = free_units()
give_all_back(SALE, POOLS, items, ARGV[1], hold)
redis.call('HSET', SALE, field, text)
-- Not what the hold named: another order may have taken a seat from it.
return { 'ENDED', free_units() - free_before }
