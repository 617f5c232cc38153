-- Put a sale's stock into Redis, or bring a newer copy of the sale: absolute totals with the sale's version, never increments.
-- KEYS[1] sale (hash)
-- ARGV[1] epoch   ARGV[2] version   ARGV[3] open|paused|closed   ARGV[4] opensAtMs   ARGV[5] closesAtMs   ARGV[6] limit (0: none)   ARGV[7] holdMs
--   then per item, each item once: sku, total
-- -> LOADED | ALREADY_LOADED     the latter for a copy that is not newer, or of a lower epoch: no effect
-- What was given out stays given out: an item that is there keeps its next serial and its free units, and totals only grow.
-- The mark `behind` stays too: a newer copy of the sale brings no order back that Redis forgot.
local argc = #ARGV
if #KEYS ~= 1 or argc < 9 or argc > 7 + 2 * 50 or argc % 2 == 0 then return bad_call('load arity') end
local SALE = KEYS[1]
local epoch, version, control = whole(ARGV[1], 1, SERIAL_MAX), whole(ARGV[2], 1, SERIAL_MAX), ARGV[3]
local opens_at, closes_at = whole(ARGV[4], 0, TIME_MS_MAX), whole(ARGV[5], 0, TIME_MS_MAX)
local limit, hold_ms = whole(ARGV[6], 0, UNITS_PER_HOLD_MAX), whole(ARGV[7], 1, 3600000)
if not (epoch and version) then return bad_call('load version') end
if control ~= 'open' and control ~= 'paused' and control ~= 'closed' then return bad_call('load control') end
if not (opens_at and closes_at) then return bad_call('load window') end
if not (limit and hold_ms) then return bad_call('load limit') end
local skus, totals, seen = {}, {}, {}
for at = 8, argc, 2 do
  local sku, total = ARGV[at], whole(ARGV[at + 1], 1, SERIAL_MAX)
  if not is_sku(sku) or not total or seen[sku] then return bad_call('load item') end
  seen[sku] = true
  skus[#skus + 1], totals[#totals + 1] = sku, total
end

local found = redis.call('HMGET', SALE, 's', 'items')
local born_floor = '0'
local listed = {}
if found[1] then
  local _, _, _, _, _, floor, known_version, known_epoch = string.match(found[1], SALE_RECORD)
  if not floor then error('BROKEN sale record') end
  if tonumber(known_version) >= version or tonumber(known_epoch) > epoch then return { 'ALREADY_LOADED' } end
  born_floor = floor
  for sku in string.gmatch(found[2], '[^;]+') do
    listed[#listed + 1] = sku
  end
end

local record = { 'HSET', SALE }
for at, sku in ipairs(skus) do
  local item = redis.call('HGET', SALE, 'i:' .. sku)
  if item then
    item = read_item(item)
    item.total = math.max(item.total, totals[at])
  else
    item = { total = totals[at], next_serial = 1, free = 0 }
    listed[#listed + 1] = sku
  end
  record[#record + 1] = 'i:' .. sku
  record[#record + 1] = item_text(item)
end
record[#record + 1] = 'items'
record[#record + 1] = table.concat(listed, ';')
record[#record + 1] = 's'
record[#record + 1] = table.concat({ control, ARGV[4], ARGV[5], limit, hold_ms, born_floor, version, epoch }, '|')
redis.call(unpack(record))
return { 'LOADED' }
