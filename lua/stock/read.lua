-- Read a sale's state and counters at one moment.
-- KEYS[1] sale (hash)
-- -> READ nowMs control opensAtMs closesAtMs limit holdMs version epoch, then per item: sku, counted|seated, total, available, given
--  | NOT_LOADED
-- available: free and never given out. given: held, sold, retired, or under suspicion. total: of a seated item, the seats that Redis knows.
if #KEYS ~= 1 or #ARGV ~= 0 then return bad_call('read arity') end
local found = redis.call('HMGET', KEYS[1], 's', 'items')
if not found[1] then return { 'NOT_LOADED' } end
local control, opens_at, closes_at, limit, hold_ms, _, version, epoch = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
local time = redis.call('TIME')
local now_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local reply = { 'READ', now_ms, control, opens_at, closes_at, limit, hold_ms, version, epoch }
for sku in string.gmatch(found[2], '[^;]+') do
  local item = read_item(redis.call('HGET', KEYS[1], 'i:' .. sku))
  -- Of a counter that is wrong (see mend-count.lua) nothing may be less than nothing: then nobody could read the sale at all.
  local given = math.max(0, item.next_serial - 1 - item.free)
  for _, value in ipairs({ sku, item.is_seated and 'seated' or 'counted', item.total, available_of(item), given }) do
    reply[#reply + 1] = value
  end
end
return reply
