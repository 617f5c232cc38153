-- Hold units for a buyer: all lines or none, once per hold id.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)   KEYS[3] expiry (list)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   then per item, each item once: sku, quantity (together 1 to 20 units)
-- -> RESERVED bornUs expiresAtMs slots lines state     state: '' for a new hold, otherwise that of the hold that was there (H, A or C)
--  | NOT_LOADED | KEY_REUSED | ENDED | UNKNOWN_SKU sku | NOT_OPEN scheduled|closed | PAUSED | BUYER_LIMIT limit used | SOLD_OUT sku available
-- The checks are made in that order: a replay comes before state, window, limit and stock. Nothing is written before all of them passed.
-- The hold's expiry goes to a list, not to a sorted set: a sale's hold time is constant, so the list is in order of time by itself.
local argc = #ARGV
if #KEYS ~= 3 or argc < 5 or argc > 3 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('reserve arity') end
local SALE, FREE, EXPIRY = KEYS[1], KEYS[2], KEYS[3]
local hold_id, buyer_id, payload_hash = ARGV[1], ARGV[2], ARGV[3]
if not (is_id(hold_id) and is_id(buyer_id) and is_id(payload_hash)) then return bad_call('reserve id') end

local skus, quantities, wanted, seen = {}, {}, 0, {}
local query = { 'HMGET', SALE, 's', 'h:' .. hold_id, 'b:' .. buyer_id }
for at = 4, argc, 2 do
  local sku, quantity = ARGV[at], whole(ARGV[at + 1], 1, UNITS_PER_HOLD_MAX)
  if not quantity or seen[sku] then return bad_call('reserve line') end
  seen[sku] = true
  wanted = wanted + quantity
  skus[#skus + 1], quantities[#quantities + 1], query[#query + 1] = sku, quantity, 'i:' .. sku
end
if wanted > UNITS_PER_HOLD_MAX then return bad_call('reserve quantity') end

local found = redis.call(unpack(query))
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms, born_floor = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
limit = tonumber(limit)
local mask = tonumber(found[3] or 0)

if found[2] then
  local state, born, expires, hash, buyer, slots, lines = string.match(found[2], HOLD_RECORD)
  if state == 'E' then return { 'ENDED' } end
  if hash ~= payload_hash or buyer ~= buyer_id then return { 'KEY_REUSED' } end
  -- A hold that lost slots to other orders of the buyer (mend) must not become an order: it would slip past the limit.
  if state == 'H' and limit > 0 and lacks_slots(slots, lines) then return { 'BUYER_LIMIT', limit, count_slots(mask) } end
  return { 'RESERVED', born, expires, slots, lines, state }
end

for at = 1, #skus do
  if not found[3 + at] then return { 'UNKNOWN_SKU', skus[at] } end
end

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if control == 'closed' or now_ms >= tonumber(closes_at) then return { 'NOT_OPEN', 'closed' } end
if now_ms < tonumber(opens_at) then return { 'NOT_OPEN', 'scheduled' } end
if control == 'paused' then return { 'PAUSED' } end

local slots = 0
if limit > 0 then
  local used = count_slots(mask)
  if used + wanted > limit then return { 'BUYER_LIMIT', limit, used } end
  slots = grant_slots(mask, wanted)
end

local items = {}
for at = 1, #skus do
  local item = read_item(found[3 + at])
  local available = available_of(item)
  if available < quantities[at] then return { 'SOLD_OUT', skus[at], available } end
  items[at] = item
end

-- Looked for first and taken later: a pool that does not keep what the counter promises must not stop this halfway.
local returned = {}
for at = 1, #skus do
  if items[at].free > 0 then
    local want = math.min(items[at].free, quantities[at])
    local serials, ranges, rest = find_lowest(FREE, skus[at], want)
    if #serials ~= want then error('BROKEN free pool of ' .. skus[at]) end
    returned[at] = { serials = serials, ranges = ranges, rest = rest }
  end
end

local record = { 'HSET', SALE }
local lines = {}
for at = 1, #skus do
  local item, serials = items[at], {}
  if returned[at] then
    serials = returned[at].serials
    take_found(FREE, returned[at].ranges, returned[at].rest)
    item.free = item.free - #serials
  end
  local first = item.next_serial
  item.next_serial = first + quantities[at] - #serials
  local text
  if #serials == 0 then
    text = item.next_serial - first == 1 and tostring(first) or (first .. '-' .. item.next_serial - 1)
  else
    for serial = first, item.next_serial - 1 do
      serials[#serials + 1] = serial
    end
    text = compact(serials)
  end
  lines[at] = skus[at] .. '=' .. text
  record[#record + 1] = 'i:' .. skus[at]
  record[#record + 1] = item_text(item)
end
lines = table.concat(lines, ';')

local born = time[1] .. string.format('%06d', time[2])
if tonumber(born) <= tonumber(born_floor) then born = string.format('%.0f', born_floor + 1) end
local expires = string.format('%.0f', now_ms + hold_ms)
record[#record + 1] = 'h:' .. hold_id
record[#record + 1] = 'H|' .. born .. '|' .. expires .. '|' .. payload_hash .. '|' .. buyer_id .. '|' .. slots .. '|' .. lines
if limit > 0 then
  record[#record + 1] = 'b:' .. buyer_id
  record[#record + 1] = bit.bor(mask, slots)
end
redis.call(unpack(record))
redis.call('RPUSH', EXPIRY, hold_id .. '|' .. expires .. '|' .. born)
return { 'RESERVED', born, expires, slots, lines, '' }
