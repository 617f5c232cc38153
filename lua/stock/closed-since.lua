-- Since when this Redis has a sale closed that was called off: the moment at which it was first asked, and found it closed.
-- KEYS[1] sale (hash)
-- -> CLOSED sinceMs | SELLING | NOT_LOADED     SELLING: its control is another one, so it may sell
-- The moment stands in the sale's state and goes with it. A Redis that fell back to before it may have sold since, as may one that fell back and
-- then lost the sale: either gives another moment, whoever closed the sale again.
if #KEYS ~= 1 or #ARGV ~= 0 then return bad_call('closed-since arity') end
local SALE = KEYS[1]
local found = redis.call('HMGET', SALE, 's', 'closed')
if not found[1] then return { 'NOT_LOADED' } end
local control = string.match(found[1], SALE_RECORD)
if not control then error('BROKEN sale record') end
if control ~= 'cancelled' then return { 'SELLING' } end
if found[2] then return { 'CLOSED', found[2] } end
local time = redis.call('TIME')
local now_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', SALE, 'closed', now_ms)
return { 'CLOSED', now_ms }
