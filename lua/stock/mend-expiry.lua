-- Put a hold whose time is up, and that nothing leads to, back in front of the sweeper, who decides about it by its order or a tombstone.
-- KEYS[1] sale (hash)   KEYS[2] expiry   KEYS[3] undecided (lists of holdId|dueMs|bornUs, in order of time)
-- After the fence: ARGV[1] holdId   ARGV[2] bornUs   ARGV[3] H|A|C, the state that it was seen in
-- -> LISTED | CHANGED | NOT_LOADED | STALE_EPOCH     CHANGED: another hold, its time is not up, or it is listed
-- A or C: no order of it was found, so it becomes a hold without one. Were there one after all, the sweeper would find it and say so again.
local UNDECIDED_MAX = 10000
if #KEYS ~= 3 or #ARGV ~= 3 then return bad_call('mend-expiry arity') end
local SALE, EXPIRY, UNDECIDED = KEYS[1], KEYS[2], KEYS[3]
local hold_id, field, born_us, state = ARGV[1], 'h:' .. ARGV[1], whole(ARGV[2], 1, TIME_US_MAX), ARGV[3]
if not born_us then return bad_call('mend-expiry born') end
if state ~= 'H' and state ~= 'A' and state ~= 'C' then return bad_call('mend-expiry state') end
local record = redis.call('HGET', SALE, field)
if not record then return { 'CHANGED' } end
local found_state, born, expires_at_ms = string.match(record, HOLD_RECORD)
if found_state ~= state or tonumber(born) ~= born_us then return { 'CHANGED' } end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if now_ms < tonumber(expires_at_ms) then return { 'CHANGED' } end
if state == 'H' then
  if redis.call('LPOS', EXPIRY, hold_id .. '|' .. expires_at_ms .. '|' .. born) then return { 'CHANGED' } end
  for _, entry in ipairs(redis.call('LRANGE', UNDECIDED, 0, UNDECIDED_MAX - 1)) do
    if string.sub(entry, 1, #hold_id + 1) == hold_id .. '|' and string.sub(entry, -#born - 1) == '|' .. born then return { 'CHANGED' } end
  end
end

if state ~= 'H' then redis.call('HSET', SALE, field, 'H' .. string.sub(record, 2)) end
-- In front: what is due now comes before all that is due later, or it would wait for those.
redis.call('LPUSH', UNDECIDED, hold_id .. '|' .. string.format('%.0f', now_ms) .. '|' .. born)
return { 'LISTED' }
