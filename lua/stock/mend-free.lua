-- Put watched units back on sale, and watched slots back at the buyer's disposal, that no hold and no row turned out to have. Ends the watch.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- After the fence: ARGV[1] token, of the watch   then 1 to 100 pairs: 'u<sku>', serials ('1-3,7' or ''), or 'b<buyerId>', slots (bit mask)
-- -> FREED units slots | NOT_LOADED | STALE_EPOCH     units, slots: how many; the others have moved since the watch began, and are left alone
local argc = #ARGV
if #KEYS ~= 3 or argc < 3 or argc > 1 + 2 * 100 or argc % 2 == 0 then return bad_call('mend-free arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local token, pairs_of = ARGV[1], {}
if not is_id(token) then return bad_call('mend-free token') end
for at = 2, argc, 2 do
  local kind, name = string.sub(ARGV[at], 1, 1), string.sub(ARGV[at], 2)
  local wanted
  if kind == 'u' and is_sku(name) then
    wanted = expand(ARGV[at + 1], WATCHED_MAX)
  elseif kind == 'b' and is_id(name) then
    wanted = whole(ARGV[at + 1], 0, SLOTS_MASK_MAX)
  end
  if not wanted then return bad_call('mend-free pair') end
  pairs_of[#pairs_of + 1] = { name = name, serials = kind == 'u' and wanted, slots = kind == 'b' and wanted }
end

-- What is still on this very watch; nil when nothing is.
local function watched(field)
  local found = redis.call('HGET', SALE, field)
  local by, text = string.match(found or '', '^([^|]*)|(.*)$')
  if by ~= token then return nil end
  redis.call('HDEL', SALE, field)
  return text
end

local units, slots = 0, 0
for _, pair in ipairs(pairs_of) do
  local text = watched((pair.serials and 'y:' or 'z:') .. pair.name)
  if text and pair.slots then
    local freed = bit.band(tonumber(text), pair.slots)
    change_slots(SALE, pair.name, freed, 0)
    slots = slots + count_slots(freed)
  elseif text then
    local items = read_items(SALE, { pair.name })
    local item = items and items[pair.name]
    if not item or item.is_seated then error('BROKEN watch of ' .. pair.name) end
    local freed = {}
    for _, serial in ipairs(pick(pair.serials, set_of(expand(text, WATCHED_MAX)), true)) do
      local _, last = range_below(POOLS.suspects, pair.name, serial)
      -- Under suspicion since the watch began: whoever reads its row decides.
      if not last or last < serial then freed[#freed + 1] = serial end
    end
    local before = item.free
    give_back(POOLS, item, pair.name, freed)
    write_items(SALE, items)
    units = units + item.free - before
  end
end
return { 'FREED', units, slots }
