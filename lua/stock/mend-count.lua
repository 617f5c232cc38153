-- Count what an item has free, and put its counters right where they say something else.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)   KEYS[3] seats (hash)
-- After the fence: ARGV[1] sku
-- -> COUNTED before after | TOO_MANY | NOT_LOADED | STALE_EPOCH     before, after: free by the counter. TOO_MANY: it would hold up Redis; nothing was done.
-- Counting and writing are one step, so nothing is set from what was seen earlier. Takes as long as there are ranges of this item, or seats of all.
local RANGES_MAX, SEATS_MAX, PAGE = 100000, 200000, 1000
if #KEYS ~= 3 or #ARGV ~= 1 then return bad_call('mend-count arity') end
local SALE, FREE, SEATS, sku = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
if not is_sku(sku) then return bad_call('mend-count sku') end
local items = read_items(SALE, { sku })
if not items then return bad_call('mend-count item ' .. sku) end
local item = items[sku]
local before = item.free

if item.is_seated then
  if redis.call('HLEN', SEATS) > SEATS_MAX then return { 'TOO_MANY' } end
  local total, free, seen, cursor = 0, 0, {}, '0'
  repeat
    local page = redis.call('HSCAN', SEATS, cursor, 'MATCH', sku .. '|*', 'COUNT', PAGE)
    cursor = page[1]
    for at = 1, #page[2], 2 do
      local field, owner = page[2][at], page[2][at + 1]
      if not seen[field] then
        seen[field] = true
        total = total + 1
        if owner == FREE_SEAT then free = free + 1 end
      end
    end
  until cursor == '0'
  item.total, item.next_serial, item.free = total, total + 1, free
else
  if redis.call('ZLEXCOUNT', FREE, '[' .. sku .. '|', '(' .. sku .. '}') > RANGES_MAX then return { 'TOO_MANY' } end
  local free, from = 0, '[' .. sku .. '|'
  repeat
    local page = redis.call('ZRANGEBYLEX', FREE, from, '(' .. sku .. '}', 'LIMIT', 0, PAGE)
    for _, member in ipairs(page) do
      local first, last = read_range(member)
      free = free + last - first + 1
    end
    if #page > 0 then from = '(' .. page[#page] end
  until #page < PAGE
  item.free = free
end
write_items(SALE, items)
return { 'COUNTED', before, item.free }
