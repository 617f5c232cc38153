-- Read a page of the units under suspicion: collisions say that an order may own them.
-- KEYS[1] sale (hash)   KEYS[2] suspects (sorted set)
-- ARGV[1] how many units at most (1 to 1000)   ARGV[2] sku and ARGV[3] serial after which to begin ('' and 0: at the first)
-- -> PAGE lines | NOT_LOADED
if #KEYS ~= 2 or #ARGV ~= 3 then return bad_call('suspects arity') end
local SALE, SUSPECTS = KEYS[1], KEYS[2]
local limit, after_sku, after = whole(ARGV[1], 1, 1000), ARGV[2], whole(ARGV[3], 0, SERIAL_MAX)
if not limit or not after then return bad_call('suspects limit') end
if after_sku ~= '' and not is_sku(after_sku) then return bad_call('suspects sku') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end

local lines, count = {}, 0
local function add(sku, first, last)
  local line = lines[#lines]
  if not line or line.sku ~= sku then
    line = { sku = sku, serials = {} }
    lines[#lines + 1] = line
  end
  for serial = first, math.min(last, first + limit - count - 1) do
    line.serials[#line.serials + 1] = serial
    count = count + 1
  end
end

local start = '-'
if after_sku ~= '' then
  -- The page before may have ended within a range.
  local first, last = range_below(SUSPECTS, after_sku, after)
  if first and last > after then add(after_sku, after + 1, last) end
  start = string.format('[%s|%07d', after_sku, after + 1)
end
if count < limit then
  for _, member in ipairs(redis.call('ZRANGEBYLEX', SUSPECTS, start, '+', 'LIMIT', 0, limit - count)) do
    if count == limit then break end
    add(string.match(member, '^[^|]+'), read_range(member))
  end
end
return { 'PAGE', lines_text(lines) }
