-- A load under way: its epoch stands in the sale, its chunks in a set, and field `s` is not there yet.

local CHUNKS_MAX = 1000000

-- Whether the load of this epoch is the one under way. A higher one has taken its place; none means that it was published, or lost with Redis.
local function is_loading(sale_key, epoch)
  local found = redis.call('HMGET', sale_key, 's', 'l')
  return not found[1] and found[2] and tonumber(found[2]) == epoch
end

local function is_seat(name)
  return #name <= 32 and string.find(name, '^[%w._-]+$') ~= nil
end

-- How many seats of an item a load has so far, and how many of those are free.
local function seats_counted(sale_key, sku)
  local total, free = string.match(redis.call('HGET', sale_key, 'i:' .. sku) or 's|0|1|0', '^s|(%d+)|%d+|(%d+)$')
  return tonumber(total), tonumber(free)
end

local function count_seats(sale_key, sku, total_more, free_more)
  local total, free = seats_counted(sale_key, sku)
  -- A seat that was counted as taken already is not taken twice: less than nothing is a record that no script reads.
  total, free = total + total_more, math.max(0, free + free_more)
  redis.call('HSET', sale_key, 'i:' .. sku, 's|' .. total .. '|' .. total + 1 .. '|' .. free)
end
