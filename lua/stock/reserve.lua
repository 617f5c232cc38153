-- Hold units for a buyer: all lines or none, once per hold id.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)   KEYS[3] expiry (list)   KEYS[4] seats (hash)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash
--   then per item, each item once: sku, quantity in digits or the seats ('2', '@A-1,B-2'), together 1 to 20 units
-- -> RESERVED bornUs expiresAtMs slots lines state     state: '' for a new hold, otherwise that of the hold that was there (H, A or C)
--  | NOT_LOADED | KEY_REUSED | ENDED | UNKNOWN_SKU sku | WRONG_KIND sku counted|seated | UNKNOWN_SEAT sku seat
--  | NOT_OPEN scheduled|closed behind | PAUSED | BUYER_LIMIT limit used behind | SOLD_OUT sku available behind | SEAT_TAKEN sku seats behind
--   What a crowd gets is one text with '|' between the words, which Redis makes and writes in a third of the time of a list.
-- WRONG_KIND says what the item is. SEAT_TAKEN names the line's seats that are not free. behind: 1 when Redis has been caught behind DynamoDB, else 0.
-- The checks are made in that order: a replay comes before state, window, limit and stock. Nothing is written before all of them passed.
-- Only in a cancelled sale a hold that no order has is refused (NOT_OPEN closed) when it is replayed, so that it becomes none any more.
-- The hold's expiry goes to a list, not to a sorted set: a sale's hold time is constant, so the list is in order of time by itself.
-- The plainest new holds are made by lib/plain-hold.lua before it comes here. This is the hot path too: few tables, what is seldom needed is made only
-- when it is (see its definition in stock.definitions.ts), and as few numbers as possible are read from texts or written to them, which costs as much
-- as a third of a command each.
local argc = #ARGV
if #KEYS ~= 4 or argc < 5 or argc > 3 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('reserve arity') end
local SALE, FREE, EXPIRY, SEATS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold_id, buyer_id, payload_hash = ARGV[1], ARGV[2], ARGV[3]
if hold_id == '' or buyer_id == '' or payload_hash == '' or #hold_id > 128 or #buyer_id > 128 or #payload_hash > 128
  or string.find(hold_id .. buyer_id .. payload_hash, '|', 1, true) then
  return bad_call('reserve id')
end

hold_field, buyer_field = hold_field or 'h:' .. hold_id, buyer_field or 'b:' .. buyer_id
local wanted = 0
-- Of one line alone there is no need for a list of fields.
local query = argc > 5 and { 'HMGET', SALE, 's', hold_field, buyer_field, 'behind' }
local seats_at
for at = 4, argc, 2 do
  if ARGV[at + 1] == '1' then
    wanted = wanted + 1
  -- Digits only: tonumber alone takes '0x10', ' 7' and '1e1'.
  elseif string.find(ARGV[at + 1], '^[1-9]%d?$') then
    wanted = wanted + ARGV[at + 1]
  else
    local named_seats, _, _, can_own_seats = seat_names()
    local seats = named_seats(ARGV[at + 1], UNITS_PER_HOLD_MAX)
    if not seats then return bad_call('reserve line') end
    if not can_own_seats(hold_id) then return bad_call('reserve id') end
    seats_at = seats_at or {}
    seats_at[at] = seats
    wanted = wanted + #seats
  end
  if query then
    query[#query + 1] = 'i:' .. ARGV[at]
    for before = 4, at - 2, 2 do
      if ARGV[before] == ARGV[at] then return bad_call('reserve line') end
    end
  end
end
if wanted > UNITS_PER_HOLD_MAX then return bad_call('reserve quantity') end

found = found or query and redis.call(unpack(query)) or redis.call('HMGET', SALE, 's', hold_field, buyer_field, 'behind', 'i:' .. ARGV[4])
if not found[1] then return 'NOT_LOADED' end
local control, opens_at, closes_at, limit, hold_ms, born_floor = string.match(found[1], '^(%a+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|%d+|%d+$')
if not control then error('BROKEN sale record') end
local mask = found[3] and tonumber(found[3]) or 0
local behind = found[4] and '|1' or '|0'

if found[2] then
  local state, born, expires, hash, buyer, slots, lines = string.match(found[2], HOLD_RECORD)
  if state == 'E' then return 'ENDED' end
  if hash ~= payload_hash or buyer ~= buyer_id then return 'KEY_REUSED' end
  if state == 'H' and control == 'cancelled' then return 'NOT_OPEN|closed' .. behind end
  if state == 'H' and limit ~= '0' then
    -- A hold that lost slots to other orders of the buyer (mend) must not become an order: it would slip past the limit.
    local count_slots, _, lacks_slots = allowance()
    if lacks_slots(slots, lines) then return 'BUYER_LIMIT|' .. limit .. '|' .. count_slots(mask) .. behind end
  end
  return 'RESERVED|' .. born .. '|' .. expires .. '|' .. slots .. '|' .. lines .. '|' .. state
end

for at = 4, argc, 2 do
  local item = found[at / 2 + 3]
  if not item then return { 'UNKNOWN_SKU', ARGV[at] } end
  local is_seated = string.byte(item) ~= COUNTED
  if is_seated ~= (seats_at ~= nil and seats_at[at] ~= nil) then return { 'WRONG_KIND', ARGV[at], is_seated and 'seated' or 'counted' } end
end

-- By line, the seats that are not free.
local taken_at
if seats_at then
  taken_at = {}
  local _, seat_owners = seat_names()
  for at = 4, argc, 2 do
    local seats = seats_at[at] or {}
    for index, owner in ipairs(seat_owners(SEATS, ARGV[at], seats)) do
      if not owner then return { 'UNKNOWN_SEAT', ARGV[at], seats[index] } end
      if owner ~= '' then
        taken_at[at] = taken_at[at] and taken_at[at] .. ',' .. seats[index] or seats[index]
      end
    end
  end
end

-- Of numbers as texts, without zeros before them, the longer is the greater, and of two as long the one that comes later in the order of texts.
local time = redis.call('TIME')
local micros = #time[2] == 6 and time[2] or string.sub('00000' .. time[2], -6)
local now_ms = time[1] .. string.sub(micros, 1, 3)
local is_before_end = #now_ms < #closes_at or #now_ms == #closes_at and now_ms < closes_at
if not is_before_end or control == 'closed' or control == 'cancelled' then return 'NOT_OPEN|closed' .. behind end
if #now_ms < #opens_at or #now_ms == #opens_at and now_ms < opens_at then return 'NOT_OPEN|scheduled' .. behind end
if control == 'paused' then return 'PAUSED' end

local slots = '0'
if limit ~= '0' then
  -- The lowest slots: a buyer's first hold takes 1, 2, 3, ...
  if mask == 0 and wanted == 1 then
    slots = '1'
  else
    local count_slots, grant_slots = allowance()
    local used = count_slots(mask)
    if used + wanted > tonumber(limit) then return 'BUYER_LIMIT|' .. limit .. '|' .. used .. behind end
    slots = grant_slots(mask, wanted)
  end
end

local lines, first_item, other_items, returned = '', nil, nil, nil
for at = 4, argc, 2 do
  local sku, quantity = ARGV[at], ARGV[at + 1] == '1' and 1 or tonumber(ARGV[at + 1])
  local total, next_serial, free = string.match(found[at / 2 + 3], quantity and ITEM_RECORD or SEATED_RECORD)
  if not total then error('BROKEN item record') end
  local is_dealt_out = #next_serial > #total or #next_serial == #total and next_serial > total
  local available = is_dealt_out and 0 or quantity == 1 and 1 or total - next_serial + 1
  if free ~= '0' then available = available + free end
  if quantity and available < quantity then return 'SOLD_OUT|' .. sku .. '|' .. available .. behind end
  local units
  if not quantity then
    local seats = seats_at[at]
    if taken_at[at] then return 'SEAT_TAKEN|' .. sku .. '|' .. taken_at[at] .. behind end
    if available < #seats then error('BROKEN seats of ' .. sku) end
    units = string.sub(ARGV[at + 1], 2)
    free = free - #seats
  elseif free == '0' then
    local after = next_serial + quantity
    units = quantity == 1 and next_serial or next_serial .. '-' .. after - 1
    next_serial = after
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
  lines = lines .. (at > 4 and ';' or '') .. sku .. (quantity and '=' or ':') .. units
  local item = (quantity and 'c|' or 's|') .. total .. '|' .. next_serial .. '|' .. free
  if first_item then
    other_items = other_items or { 'HSET', SALE }
    other_items[#other_items + 1] = 'i:' .. sku
    other_items[#other_items + 1] = item
  else
    first_item = item
  end
end

local born = time[1] .. micros
if #born < #born_floor or #born == #born_floor and born <= born_floor then born = string.format('%.0f', born_floor + 1) end
local expires = string.format('%.0f', now_ms + hold_ms)
local record = 'H|' .. born .. '|' .. expires .. '|' .. payload_hash .. '|' .. buyer_id .. '|' .. slots .. '|' .. lines
if limit == '0' then
  redis.call('HSET', SALE, hold_field, record, 'i:' .. ARGV[4], first_item)
else
  redis.call('HSET', SALE, hold_field, record, 'i:' .. ARGV[4], first_item, buyer_field, mask == 0 and slots or mask + slots)
end
if other_items then redis.call(unpack(other_items)) end
redis.call('RPUSH', EXPIRY, hold_id .. '|' .. expires .. '|' .. born)
if returned then
  local _, take_found = returned_units()
  for at = 1, #returned do
    take_found(FREE, returned[at][1], returned[at][2])
  end
end
if seats_at then
  local _, _, put_seats = seat_names()
  for at, seats in pairs(seats_at) do
    put_seats(SEATS, ARGV[at], seats, hold_id)
  end
end
return 'RESERVED|' .. born .. '|' .. expires .. '|' .. slots .. '|' .. lines .. '|'
