-- A pool of units: a sorted set of ranges 'sku|0000017-0000020', all scores 0, so ordered by item and first serial.
-- Ranges of one item never overlap, and neighbours are joined.

local function range_text(sku, first, last)
  return string.format('%s|%07d-%07d', sku, first, last)
end

local function read_range(member)
  local first, last = string.match(member, '|(%d+)%-(%d+)$')
  return tonumber(first), tonumber(last)
end

-- The range of this item with the highest start that is not above `serial`.
local function range_below(pool, sku, serial)
  local highest = string.format('[%s|%07d-\255', sku, serial)
  local member = redis.call('ZREVRANGEBYLEX', pool, highest, '[' .. sku .. '|', 'LIMIT', 0, 1)[1]
  if not member then return nil end
  local first, last = read_range(member)
  return first, last, member
end

-- Takes whatever of first..last is in the pool out of it, and calls visit(from, to), if given, for each piece. -> how many units that were
local function take_out(pool, sku, first, last, visit)
  local taken = 0
  local from, to, member = range_below(pool, sku, last)
  while from and to >= first do
    redis.call('ZREM', pool, member)
    if to > last then redis.call('ZADD', pool, 0, range_text(sku, last + 1, to)) end
    if from < first then redis.call('ZADD', pool, 0, range_text(sku, from, first - 1)) end
    local lowest, highest = math.max(from, first), math.min(to, last)
    taken = taken + highest - lowest + 1
    if visit then visit(lowest, highest) end
    if from <= first then break end
    from, to, member = range_below(pool, sku, from - 1)
  end
  return taken
end

-- Puts first..last into the pool. -> how many of them were not there before
local function put_in(pool, sku, first, last)
  local known, lowest, highest = 0, first, last
  local from, to, member = range_below(pool, sku, last + 1)
  while from and to >= first - 1 do
    redis.call('ZREM', pool, member)
    known = known + math.max(0, math.min(to, last) - math.max(from, first) + 1)
    lowest, highest = math.min(lowest, from), math.max(highest, to)
    if from <= first then break end
    from, to, member = range_below(pool, sku, from - 1)
  end
  redis.call('ZADD', pool, 0, range_text(sku, lowest, highest))
  return last - first + 1 - known
end

-- Looks for the lowest `quantity` units of an item, and writes nothing.
-- -> serials, the ranges they are in, and what would be left of the last of those (or nil)
local function find_lowest(pool, sku, quantity)
  local members = redis.call('ZRANGEBYLEX', pool, '[' .. sku .. '|', '(' .. sku .. '}', 'LIMIT', 0, quantity)
  local serials, ranges = {}, {}
  for _, member in ipairs(members) do
    local first, last = read_range(member)
    ranges[#ranges + 1] = member
    for serial = first, math.min(last, first + quantity - #serials - 1) do
      serials[#serials + 1] = serial
    end
    if #serials == quantity then
      local rest = serials[quantity] + 1
      return serials, ranges, rest <= last and range_text(sku, rest, last) or nil
    end
  end
  return serials, ranges, nil
end

-- Takes what find_lowest found.
local function take_found(pool, ranges, rest)
  if #ranges > 0 then redis.call('ZREM', pool, unpack(ranges)) end
  if rest then redis.call('ZADD', pool, 0, rest) end
end
