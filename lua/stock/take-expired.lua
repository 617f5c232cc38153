-- Take holds whose time is up, for whoever decides about them. The end itself is decided in DynamoDB.
-- KEYS[1] sale (hash)   KEYS[2] expiry   KEYS[3] undecided (lists of holdId|dueMs|bornUs, in order of time)
-- ARGV[1] how many holds at most (1 to 1000)   ARGV[2] retryMs
-- -> DUE nowMs more, then per hold: holdId, record     more: 1 when it stopped at a bound: there may be more
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
-- After a sale most entries are dropped, one by one: without a bound of its own, that would hold up Redis.
local left = 2000

local function take_from(list)
  while true do
    if #again == limit or left == 0 then
      reply[3] = 1
      return
    end
    local page = redis.call('LRANGE', list, 0, math.min(limit - #again, left) - 1)
    local passed = 0
    for _, entry in ipairs(page) do
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
    left = left - passed
    if passed < #page or #page == 0 then return end
  end
end

take_from(EXPIRY)
take_from(UNDECIDED)
if #again > 0 then redis.call('RPUSH', UNDECIDED, unpack(again)) end
return reply
