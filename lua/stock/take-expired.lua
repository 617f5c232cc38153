-- Take holds whose time is up, for whoever decides about them. The end itself is decided in DynamoDB.
-- KEYS[1] sale (hash)   KEYS[2] expiry   KEYS[3] undecided (lists of holdId|dueMs|bornUs, in order of time)
-- ARGV[1] how many entries at most (1 to 1000)   ARGV[2] retryMs
-- -> DUE nowMs more, then per hold: holdId, record     more: 1 when the bound was reached
--  | NOT_LOADED
-- An entry whose hold is gone, ended, acknowledged or of another birth is dropped: an order, which is due by itself, or nobody has it.
-- The others are appended to `undecided` in the same step, due again after retryMs: if their taker dies, nothing is lost.
if #KEYS ~= 3 or #ARGV ~= 2 then return bad_call('take-expired arity') end
local SALE, EXPIRY, UNDECIDED = KEYS[1], KEYS[2], KEYS[3]
local limit, retry_ms = whole(ARGV[1], 1, 1000), whole(ARGV[2], 1, 86400000)
if not limit or not retry_ms then return bad_call('take-expired limit') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = { 'DUE', string.format('%.0f', now_ms), 0 }
local again = {}
local taken = 0
for _, list in ipairs({ EXPIRY, UNDECIDED }) do
  local passed = 0
  for _, entry in ipairs(taken < limit and redis.call('LRANGE', list, 0, limit - taken - 1) or {}) do
    local hold_id, due_ms, born_us = string.match(entry, '^([^|]*)|(%d+)|(%d+)$')
    if not hold_id then error('BROKEN expiry entry') end
    if tonumber(due_ms) > now_ms then break end
    passed = passed + 1
    local record = redis.call('HGET', SALE, 'h:' .. hold_id)
    if record and string.sub(record, 1, #born_us + 3) == 'H|' .. born_us .. '|' then
      reply[#reply + 1] = hold_id
      reply[#reply + 1] = record
      again[#again + 1] = hold_id .. '|' .. string.format('%.0f', now_ms + retry_ms) .. '|' .. born_us
    end
  end
  if passed > 0 then redis.call('LTRIM', list, passed, -1) end
  taken = taken + passed
end
if taken == limit then reply[3] = 1 end
if #again > 0 then redis.call('RPUSH', UNDECIDED, unpack(again)) end
return reply
