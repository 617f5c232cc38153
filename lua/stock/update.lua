-- Bring a newer copy of a sale to Redis: its window, limit, control, and absolute totals with the sale's version, never increments.
-- KEYS[1] sale (hash)
-- ARGV[1] version   ARGV[2] open|paused|closed|cancelled   ARGV[3] opensAtMs   ARGV[4] closesAtMs   ARGV[5] limit (0: none)   ARGV[6] holdMs
--   then per item, each item once: sku, total
-- -> UPDATED | UP_TO_DATE | NOT_LOADED     UP_TO_DATE for a copy that is not newer: it changes nothing
-- What was given out stays given out: no next serial and no free unit changes, and totals only grow. Nor does the mark `behind`: a newer copy of
-- the sale brings no order back that Redis forgot. The epoch stays that of the load. Seats come by add-seats, so a seated item's total is left alone.
-- Not loaded, the version is noted: whoever is loading the sale from an older copy at this moment must not publish it.
local argc = #ARGV
if #KEYS ~= 1 or argc < 8 or argc > 6 + 2 * 50 or argc % 2 == 1 then return bad_call('update arity') end
local SALE = KEYS[1]
local version, control = whole(ARGV[1], 1, SERIAL_MAX), ARGV[2]
local opens_at, closes_at = whole(ARGV[3], 0, TIME_MS_MAX), whole(ARGV[4], 0, TIME_MS_MAX)
local limit, hold_ms = whole(ARGV[5], 0, UNITS_PER_HOLD_MAX), whole(ARGV[6], 1, 3600000)
if not version then return bad_call('update version') end
if control ~= 'open' and control ~= 'paused' and control ~= 'closed' and control ~= 'cancelled' then return bad_call('update control') end
if not (opens_at and closes_at) then return bad_call('update window') end
if not (limit and hold_ms) then return bad_call('update limit') end
local skus, totals = {}, {}
for at = 7, argc, 2 do
  local sku, total = ARGV[at], whole(ARGV[at + 1], 1, SERIAL_MAX)
  if not is_sku(sku) or not total or totals[sku] then return bad_call('update item') end
  totals[sku] = total
  skus[#skus + 1] = sku
end

local found = redis.call('HMGET', SALE, 's', 'v')
if not found[1] then
  if version > tonumber(found[2] or 0) then redis.call('HSET', SALE, 'v', version) end
  return { 'NOT_LOADED' }
end
local _, _, _, _, _, born_floor, known_version, epoch = string.match(found[1], SALE_RECORD)
if not born_floor then error('BROKEN sale record') end
if tonumber(known_version) >= version then
  -- Written once more as it is: who then waits for a replica waits for this write, and so for the one of whoever brought the copy first.
  redis.call('HSET', SALE, 's', found[1])
  return { 'UP_TO_DATE' }
end
local items, unknown = read_items(SALE, skus)
if not items then return bad_call('update item ' .. unknown) end

for sku, item in pairs(items) do
  if not item.is_seated then item.total = math.max(item.total, totals[sku]) end
end
write_items(SALE, items)
redis.call('HSET', SALE, 's', table.concat({ control, ARGV[3], ARGV[4], limit, hold_ms, born_floor, version, epoch }, '|'))
return { 'UPDATED' }
