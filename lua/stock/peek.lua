-- Look whether a buyer could hold these units now. Nothing is held, and the next moment may say otherwise.
-- KEYS[1] sale (hash)   KEYS[2] seats (hash)
-- ARGV[1] buyerId
--   then per item, each item once: sku, quantity in digits or the seats ('2', '@A-1,B-2'), together 1 to 20 units
-- -> AVAILABLE nowUs expiresAtMs     expiresAtMs: when a hold made now would end
--  | NOT_LOADED | UNKNOWN_SKU sku | WRONG_KIND sku counted|seated | UNKNOWN_SEAT sku seat | NOT_OPEN scheduled|closed | PAUSED
--  | BUYER_LIMIT limit used | SOLD_OUT sku available | SEAT_TAKEN sku seats
-- In the words of reserve, and in its order.
local argc = #ARGV
if #KEYS ~= 2 or argc < 3 or argc > 1 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('peek arity') end
local SALE, SEATS, buyer_id = KEYS[1], KEYS[2], ARGV[1]
if not is_id(buyer_id) then return bad_call('peek id') end
local wanted, units, seen = {}, 0, {}
for at = 2, argc, 2 do
  local sku, asked = ARGV[at], ARGV[at + 1]
  local seats = named_seats(asked, UNITS_PER_HOLD_MAX)
  local quantity = seats and #seats or whole(asked, 1, UNITS_PER_HOLD_MAX)
  if not is_sku(sku) or seen[sku] or not quantity then return bad_call('peek line') end
  seen[sku] = true
  units = units + quantity
  wanted[#wanted + 1] = { sku = sku, seats = seats, quantity = quantity }
end
if units > UNITS_PER_HOLD_MAX then return bad_call('peek quantity') end

local found = redis.call('HMGET', SALE, 's', 'b:' .. buyer_id)
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms, born_floor = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
local items = {}
for _, line in ipairs(wanted) do
  local known = read_items(SALE, { line.sku })
  if not known then return { 'UNKNOWN_SKU', line.sku } end
  if line_of_wrong_kind({ line }, known) then return { 'WRONG_KIND', line.sku, known[line.sku].is_seated and 'seated' or 'counted' } end
  items[line.sku] = known[line.sku]
end

-- By line, the seats that are not free.
local taken = {}
for at, line in ipairs(wanted) do
  taken[at] = {}
  for index, owner in ipairs(seat_owners(SEATS, line.sku, line.seats or {})) do
    if not owner then return { 'UNKNOWN_SEAT', line.sku, line.seats[index] } end
    if owner ~= FREE_SEAT then table.insert(taken[at], line.seats[index]) end
  end
end

local time = redis.call('TIME')
local micros = string.sub('00000' .. time[2], -6)
local now_ms = tonumber(time[1] .. string.sub(micros, 1, 3))
if control == 'closed' or control == 'cancelled' or now_ms >= tonumber(closes_at) then return { 'NOT_OPEN', 'closed' } end
if now_ms < tonumber(opens_at) then return { 'NOT_OPEN', 'scheduled' } end
if control == 'paused' then return { 'PAUSED' } end

limit = tonumber(limit)
local used = count_slots(tonumber(found[2] or 0))
if limit > 0 and used + units > limit then return { 'BUYER_LIMIT', limit, used } end
for at, line in ipairs(wanted) do
  local available = available_of(items[line.sku])
  if not line.seats and available < line.quantity then return { 'SOLD_OUT', line.sku, available } end
  if #taken[at] > 0 then return { 'SEAT_TAKEN', line.sku, table.concat(taken[at], ',') } end
end

local now_us = time[1] .. micros
if tonumber(now_us) <= tonumber(born_floor) then now_us = string.format('%.0f', born_floor + 1) end
return { 'AVAILABLE', now_us, string.format('%.0f', now_ms + hold_ms) }
