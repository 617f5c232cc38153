-- Read a page of the units under suspicion: collisions say that an order may own them.
-- KEYS[1] sale (hash)   KEYS[2] suspects (sorted set)
-- ARGV[1] how many units at most (1 to 1000)   ARGV[2] sku and ARGV[3] serial or seat after which to begin (both '': at the first)
-- -> PAGE lines | NOT_LOADED
if #KEYS ~= 2 or #ARGV ~= 3 then return bad_call('suspects arity') end
local SALE, SUSPECTS = KEYS[1], KEYS[2]
local limit, after_sku, after = whole(ARGV[1], 1, 1000), ARGV[2], ARGV[3]
if not limit then return bad_call('suspects limit') end
if after_sku ~= '' and not is_sku(after_sku) then return bad_call('suspects sku') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local after_seats, after_serial
if after_sku ~= '' then
  local items = read_items(SALE, { after_sku })
  if not items then return bad_call('suspects item ' .. after_sku) end
  if items[after_sku].is_seated then
    after_seats = read_seats(after, 1)
  else
    after_serial = whole(after, 0, SERIAL_MAX)
  end
  if not (after_seats or after_serial) then return bad_call('suspects unit') end
end

local lines, count = {}, 0
local function line_of(sku, units)
  if not lines[#lines] or lines[#lines].sku ~= sku then lines[#lines + 1] = { sku = sku, [units] = {} } end
  return lines[#lines]
end
local function add_seat(sku, seat)
  local seats = line_of(sku, 'seats').seats
  seats[#seats + 1] = seat
  count = count + 1
end
local function add(sku, first, last)
  local found = line_of(sku, 'serials').serials
  for serial = first, math.min(last, first + limit - count - 1) do
    found[#found + 1] = serial
    count = count + 1
  end
end

local start = '-'
if after_seats then
  start = '(' .. suspect_seat(after_sku, after_seats[1])
elseif after_serial then
  -- The page before may have ended within a range.
  local first, last = range_below(SUSPECTS, after_sku, after_serial)
  if first and last > after_serial then add(after_sku, after_serial + 1, last) end
  start = string.format('[%s|%07d', after_sku, after_serial + 1)
end
if count < limit then
  for _, member in ipairs(redis.call('ZRANGEBYLEX', SUSPECTS, start, '+', 'LIMIT', 0, limit - count)) do
    if count == limit then break end
    local sku, seat = string.match(member, '^([^|]+)|:(.+)$')
    if seat then
      add_seat(sku, seat)
    else
      add(string.match(member, '^[^|]+'), read_range(member))
    end
  end
end
return { 'PAGE', lines_text(lines) }
