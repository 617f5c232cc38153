-- Begin to watch units and slots that are used up by nobody, as it seems. Whoever moves one of them takes it off the watch.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- After the fence: ARGV[1] token, of this watch alone   then 1 to 100 pairs: 'u<sku>', serials ('1-3,7'), or 'b<buyerId>', slots (bit mask)
-- -> WATCHED | NOT_LOADED | STALE_EPOCH
-- On the watch are those serials that were given out, are up to the total, and are neither free nor under suspicion; and those slots that are used.
-- It is kept in fields of the sale (see unwatch in lib/holds.lua), one watch at a time for an item or a buyer, and ends with mend-free.
-- A hold that has a watched unit or slot at any later moment, while that is still on the watch, had it already when the watch began. So one look at all
-- holds after it, which need not be of one moment, shows whether any has it.
local argc = #ARGV
if #KEYS ~= 3 or argc < 3 or argc > 1 + 2 * 100 or argc % 2 == 0 then return bad_call('mend-watch arity') end
local SALE, FREE, SUSPECTS = KEYS[1], KEYS[2], KEYS[3]
local token, watches = ARGV[1], {}
if not is_id(token) then return bad_call('mend-watch token') end
for at = 2, argc, 2 do
  local kind, name = string.sub(ARGV[at], 1, 1), string.sub(ARGV[at], 2)
  local watch = { name = name }
  if kind == 'u' and is_sku(name) then
    watch.serials = expand(ARGV[at + 1], WATCHED_MAX)
  elseif kind == 'b' and is_id(name) then
    watch.slots = whole(ARGV[at + 1], 1, SLOTS_MASK_MAX)
  end
  if not (watch.serials or watch.slots) then return bad_call('mend-watch pair') end
  watches[#watches + 1] = watch
end

local function is_in(pool, sku, serial)
  local _, last = range_below(pool, sku, serial)
  return last and last >= serial
end

for _, watch in ipairs(watches) do
  if watch.slots then
    local used = bit.band(tonumber(redis.call('HGET', SALE, 'b:' .. watch.name) or 0), watch.slots)
    if used > 0 then redis.call('HSET', SALE, 'z:' .. watch.name, token .. '|' .. used) end
  else
    local items = read_items(SALE, { watch.name })
    local gone = {}
    for _, serial in ipairs(items and not items[watch.name].is_seated and watch.serials or {}) do
      local item = items[watch.name]
      local was_given = serial < item.next_serial and serial <= item.total
      if was_given and not is_in(FREE, watch.name, serial) and not is_in(SUSPECTS, watch.name, serial) then gone[#gone + 1] = serial end
    end
    if #gone > 0 then redis.call('HSET', SALE, 'y:' .. watch.name, token .. '|,' .. table.concat(gone, ',') .. ',') end
  end
end
return { 'WATCHED' }
