-- Hold units for a buyer: all lines or none, once per hold id.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)   KEYS[3] expiry (list)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   then per item, each item once: sku, quantity (together 1 to 20 units)
-- -> RESERVED bornUs expiresAtMs slots lines state     state: '' for a new hold, otherwise that of the hold that was there (H, A or C)
--  | NOT_LOADED | KEY_REUSED | ENDED | UNKNOWN_SKU sku | NOT_OPEN scheduled|closed | PAUSED
--  | BUYER_LIMIT limit used behind | SOLD_OUT sku available behind     behind: 1 when Redis has been caught behind DynamoDB, else 0
-- The checks are made in that order: a replay comes before state, window, limit and stock. Nothing is written before all of them passed.
-- The hold's expiry goes to a list, not to a sorted set: a sale's hold time is constant, so the list is in order of time by itself.
-- This is the hot path: few tables, and what is seldom needed is made only when it is (see its definition in stock.definitions.ts).
local argc = #ARGV
if #KEYS ~= 3 or argc < 5 or argc > 3 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('reserve arity') end
local SALE, FREE, EXPIRY = KEYS[1], KEYS[2], KEYS[3]
local hold_id, buyer_id, payload_hash = ARGV[1], ARGV[2], ARGV[3]
if not (is_id(hold_id) and is_id(buyer_id) and is_id(payload_hash)) then return bad_call('reserve id') end

local hold_field, buyer_field = 'h:' .. hold_id, 'b:' .. buyer_id
local query = { 'HMGET', SALE, 's', hold_field, buyer_field }
local wanted = 0
for at = 4, argc, 2 do
  -- Digits only: tonumber alone takes '0x10', ' 7' and '1e1'.
  if not string.find(ARGV[at + 1], '^[1-9]%d?$') then return bad_call('reserve line') end
  wanted = wanted + ARGV[at + 1]
  query[#query + 1] = 'i:' .. ARGV[at]
  for before = 4, at - 2, 2 do
    if ARGV[before] == ARGV[at] then return bad_call('reserve line') end
  end
end
if wanted > UNITS_PER_HOLD_MAX then return bad_call('reserve quantity') end
query[#query + 1] = 'behind'

local found = redis.call(unpack(query))
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms, born_floor = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
limit = tonumber(limit)
local mask = tonumber(found[3] or 0)
local behind = found[#query - 2] and 1 or 0

if found[2] then
  local state, born, expires, hash, buyer, slots, lines = string.match(found[2], HOLD_RECORD)
  if state == 'E' then return { 'ENDED' } end
  if hash ~= payload_hash or buyer ~= buyer_id then return { 'KEY_REUSED' } end
  if state == 'H' and limit > 0 then
    -- A hold that lost slots to other orders of the buyer (mend) must not become an order: it would slip past the limit.
    local count_slots, _, lacks_slots = allowance()
    if lacks_slots(slots, lines) then return { 'BUYER_LIMIT', limit, count_slots(mask), behind } end
  end
  return { 'RESERVED', born, expires, slots, lines, state }
end

for at = 4, argc, 2 do
  if not found[at / 2 + 2] then return { 'UNKNOWN_SKU', ARGV[at] } end
end

local time = redis.call('TIME')
local micros = string.sub('00000' .. time[2], -6)
local now_ms = tonumber(time[1] .. string.sub(micros, 1, 3))
if control == 'closed' or now_ms >= tonumber(closes_at) then return { 'NOT_OPEN', 'closed' } end
if now_ms < tonumber(opens_at) then return { 'NOT_OPEN', 'scheduled' } end
if control == 'paused' then return { 'PAUSED' } end

local slots = 0
if limit > 0 then
  local used = 0
  -- The lowest slots: a buyer's first hold takes 1, 2, 3, ...
  slots = 2 ^ wanted - 1
  if mask > 0 then
    local count_slots, grant_slots = allowance()
    used = count_slots(mask)
    if used + wanted <= limit then slots = grant_slots(mask, wanted) end
  end
  if used + wanted > limit then return { 'BUYER_LIMIT', limit, used, behind } end
end

local record = { 'HSET', SALE, hold_field, '' }
local lines, returned = '', nil
for at = 4, argc, 2 do
  local sku, quantity = ARGV[at], tonumber(ARGV[at + 1])
  local total, next_serial, free = string.match(found[at / 2 + 2], ITEM_RECORD)
  if not total then error('BROKEN item record') end
  local available = free + math.max(0, total - next_serial + 1)
  if available < quantity then return { 'SOLD_OUT', sku, available, behind } end
  local units
  if free == '0' then
    units = quantity == 1 and next_serial or next_serial .. '-' .. next_serial + quantity - 1
    next_serial = next_serial + quantity
  else
    -- Looked for here and taken below: a later line may be refused, and a pool may not have what the counter says.
    local find_lowest, _, compact = returned_units()
    local want = math.min(free, quantity)
    local serials, ranges, rest = find_lowest(FREE, sku, want)
    if #serials ~= want then error('BROKEN free pool of ' .. sku) end
    returned = returned or {}
    returned[#returned + 1] = { ranges, rest }
    for serial = next_serial, next_serial + quantity - want - 1 do
      serials[#serials + 1] = serial
    end
    units = compact(serials)
    next_serial, free = next_serial + quantity - want, free - want
  end
  lines = lines .. (at > 4 and ';' or '') .. sku .. '=' .. units
  record[#record + 1] = query[at / 2 + 4]
  record[#record + 1] = 'c|' .. total .. '|' .. next_serial .. '|' .. free
end

local born = time[1] .. micros
if tonumber(born) <= tonumber(born_floor) then born = string.format('%.0f', born_floor + 1) end
local expires = now_ms + hold_ms
record[4] = 'H|' .. born .. '|' .. expires .. '|' .. payload_hash .. '|' .. buyer_id .. '|' .. slots .. '|' .. lines
if limit > 0 then
  record[#record + 1] = buyer_field
  record[#record + 1] = mask + slots
end
redis.call(unpack(record))
redis.call('RPUSH', EXPIRY, hold_id .. '|' .. expires .. '|' .. born)
if returned then
  local _, take_found = returned_units()
  for at = 1, #returned do
    take_found(FREE, returned[at][1], returned[at][2])
  end
end
return { 'RESERVED', born, string.format('%.0f', expires), slots, lines, '' }
