-- Seats: their names as text, 'A-1,B-2', and who has each of them.

local FREE_SEAT, SUSPECT_SEAT, RETIRED_SEAT = '', '?', '-'

-- The seats in the order in which they are named; nil when the text is malformed, or names none, one twice, or more than seats_max.
local function read_seats(text, seats_max)
  local seats, seen = {}, {}
  for seat in string.gmatch(text .. ',', '([^,]*),') do
    if #seat > 32 or not string.find(seat, '^[%w._-]+$') or seen[seat] or #seats == seats_max then return nil end
    seen[seat] = true
    seats[#seats + 1] = seat
  end
  return seats
end

-- Seats as an argument names them among serials and quantities: '@A-1,B-2'.
local function named_seats(text, seats_max)
  return string.sub(text, 1, 1) == '@' and read_seats(string.sub(text, 2), seats_max) or nil
end

-- What the seats' fields hold, in this order; false for a seat that Redis does not know.
local function seat_owners(key, sku, seats)
  if #seats == 0 then return {} end
  local query = { 'HMGET', key }
  for index, seat in ipairs(seats) do
    query[index + 2] = sku .. '|' .. seat
  end
  return redis.call(unpack(query))
end

local function put_seats(key, sku, seats, owner)
  if #seats == 0 then return end
  local record = { 'HSET', key }
  for _, seat in ipairs(seats) do
    record[#record + 1] = sku .. '|' .. seat
    record[#record + 1] = owner
  end
  redis.call(unpack(record))
end

-- An owner's id is told from the marks by its length.
local function can_own_seats(hold_id)
  return #hold_id > 1
end
