-- See a hold, its buyer's slots, and where some units are, at one moment. Changes nothing.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- After the fence: ARGV[1] holdId   ARGV[2] buyerId   then per item, each item once: sku, units ('1-3,7', or seats '@A-1,B-2')
-- -> SEEN record slots, then per item: its units' places | NOT_LOADED | STALE_EPOCH     record: '' for no hold; slots: the buyer's, as a bit mask
-- Of serials a letter each: f free, a ahead (never given out), s under suspicion, - somewhere else. Of seats what their fields have, ',' between,
-- and '!' for one that Redis does not know.
local argc = #ARGV
if #KEYS ~= 4 or argc < 2 or argc > 2 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 1 then return bad_call('mend-look arity') end
local SALE, FREE, SUSPECTS, SEATS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lines = {}
for at = 3, argc, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], UNITS_PER_HOLD_MAX)
  if not line then return bad_call('mend-look line') end
  lines[#lines + 1] = line
end
local items, unknown = read_items(SALE, skus_of(lines))
if not items then return bad_call('mend-look item ' .. unknown) end
if line_of_wrong_kind(lines, items) then return bad_call('mend-look kind') end

local function is_in(pool, sku, serial)
  local _, last = range_below(pool, sku, serial)
  return last and last >= serial
end

local function places_of(line)
  local places = {}
  if line.seats then
    for index, owner in ipairs(seat_owners(SEATS, line.sku, line.seats)) do
      places[index] = owner or '!'
    end
    return table.concat(places, ',')
  end
  for index, serial in ipairs(line.serials) do
    local place = '-'
    if serial >= items[line.sku].next_serial then
      place = 'a'
    elseif is_in(FREE, line.sku, serial) then
      place = 'f'
    elseif is_in(SUSPECTS, line.sku, serial) then
      place = 's'
    end
    places[index] = place
  end
  return table.concat(places)
end

local found = redis.call('HMGET', SALE, 'h:' .. ARGV[1], 'b:' .. ARGV[2])
local reply = { 'SEEN', found[1] or '', tonumber(found[2] or 0) }
for _, line in ipairs(lines) do
  reply[#reply + 1] = places_of(line)
end
return reply
