-- Put a chunk of unit rows into a load. The rows of one order come in any order and in several chunks: each adds its unit to the order's hold.
-- KEYS[1] sale (hash)   KEYS[2] seats (hash)   KEYS[3] chunks (set)
-- ARGV[1] epoch   ARGV[2] chunk   ARGV[3] holdMs
--   then per row, 1 to 500: sku, serial|seat, unit, HELD|SOLD|RETIRED, holdId, buyerId, slot (0: none), atMs
-- -> TAKEN | STALE_EPOCH
-- HELD makes a hold that an order has (A), SOLD one whose order is confirmed (C). A RETIRED unit is in no hold, is not for sale, and keeps its slot.
-- What a row does not tell is made good when the order is next compared with its hold: birth and expiry are guessed from atMs, the payload is '-'.
local ROW = 8
local argc = #ARGV
if #KEYS ~= 3 or argc < 3 + ROW or argc > 3 + 500 * ROW or (argc - 3) % ROW ~= 0 then return bad_call('load-units arity') end
local SALE, SEATS, CHUNKS = KEYS[1], KEYS[2], KEYS[3]
local epoch, chunk, hold_ms = whole(ARGV[1], 1, SERIAL_MAX), whole(ARGV[2], 1, CHUNKS_MAX), whole(ARGV[3], 1, 3600000)
if not (epoch and chunk and hold_ms) then return bad_call('load-units chunk') end
local letters = { HELD = 'A', SOLD = 'C', RETIRED = 'R' }

local function row_at(at)
  local row = {
    sku = ARGV[at], is_seat = ARGV[at + 1] == 'seat', unit = ARGV[at + 2], letter = letters[ARGV[at + 3]], hold_id = ARGV[at + 4],
    buyer_id = ARGV[at + 5], slot = whole(ARGV[at + 6], 0, UNITS_PER_HOLD_MAX), at_ms = ARGV[at + 7],
  }
  local serial = not row.is_seat and ARGV[at + 1] == 'serial' and whole(row.unit, 1, SERIAL_MAX)
  if serial then row.unit = serial end
  local has_unit = is_sku(row.sku) and (serial or (row.is_seat and is_seat(row.unit) and can_own_seats(row.hold_id)))
  local has_owner = is_id(row.hold_id) and is_id(row.buyer_id)
  return has_unit and has_owner and row.letter and row.slot and whole(row.at_ms, 1, TIME_MS_MAX) and row or nil
end

local rows, fields, asked = {}, {}, {}
local function ask(field)
  if asked[field] then return end
  asked[field] = true
  fields[#fields + 1] = field
end
for at = 4, argc, ROW do
  local row = row_at(at)
  if not row then return bad_call('load-units row') end
  rows[#rows + 1] = row
  if row.letter ~= 'R' then ask('h:' .. row.hold_id) end
  if row.slot > 0 then ask('b:' .. row.buyer_id) end
end
if not is_loading(SALE, epoch) then return { 'STALE_EPOCH' } end
if redis.call('SISMEMBER', CHUNKS, chunk) == 1 then return { 'TAKEN' } end

local known = {}
if #fields > 0 then
  for index, value in ipairs(redis.call('HMGET', SALE, unpack(fields))) do
    known[fields[index]] = value
  end
end

local function hold_of(row)
  local field = 'h:' .. row.hold_id
  local hold = known[field]
  if type(hold) ~= 'table' then
    hold = hold and read_hold(hold) or {
      state = row.letter, born_us = row.at_ms .. '000', expires_at_ms = string.format('%.0f', row.at_ms + hold_ms),
      payload_hash = '-', buyer_id = row.buyer_id, slots = 0, lines = {},
    }
    known[field] = hold
  end
  return hold
end

-- Adds the unit to the hold, once. -> the units of its line
local function add_unit(hold, row)
  local units
  for _, line in ipairs(hold.lines) do
    if line.sku == row.sku then units = line.seats or line.serials end
  end
  if not units then
    units = {}
    hold.lines[#hold.lines + 1] = { sku = row.sku, [row.is_seat and 'seats' or 'serials'] = units }
  end
  for _, unit in ipairs(units) do
    if unit == row.unit then return units end
  end
  units[#units + 1] = row.unit
  return units
end

local record, seats = { 'HSET', SALE }, {}
for _, row in ipairs(rows) do
  if row.slot > 0 then
    local field = 'b:' .. row.buyer_id
    known[field] = bit.bor(tonumber(known[field] or 0), 2 ^ (row.slot - 1))
  end
  if row.letter ~= 'R' then
    local hold = hold_of(row)
    local units = add_unit(hold, row)
    if not row.is_seat then table.sort(units) end
    if row.slot > 0 then hold.slots = bit.bor(hold.slots, 2 ^ (row.slot - 1)) end
    -- Rows of one order are not read at one moment: some may be read before its confirmation, and some after.
    if row.letter == 'C' then hold.state = 'C' end
  end
  if row.is_seat then seats[#seats + 1] = row end
end

for field, value in pairs(known) do
  record[#record + 1] = field
  record[#record + 1] = type(value) == 'table' and hold_text(value) or value
end
if #record > 2 then redis.call(unpack(record)) end
for _, row in ipairs(seats) do
  local field = row.sku .. '|' .. row.unit
  -- A seat that was listed before its row came was counted as free.
  if redis.call('HGET', SEATS, field) == FREE_SEAT then count_seats(SALE, row.sku, 0, -1) end
  redis.call('HSET', SEATS, field, row.letter == 'R' and RETIRED_SEAT or row.hold_id)
end
redis.call('SADD', CHUNKS, chunk)
return { 'TAKEN' }
