-- Take a lease, or keep it if it is ours already.
-- KEYS[1] lease (string)
-- ARGV[1] owner token   ARGV[2] leaseMs
-- -> ACQUIRED | BUSY leftMs
-- A lease ends by itself, so that a dead owner holds nobody up; whoever needs to be alone for certain lets the resource check a fencing number.
if #KEYS ~= 1 or #ARGV ~= 2 then return redis.error_reply('BAD_CALL lease.acquire arity') end
local lease_ms = string.find(ARGV[2], '^[1-9]%d*$') and tonumber(ARGV[2])
if ARGV[1] == '' then return redis.error_reply('BAD_CALL lease.acquire owner') end
if not lease_ms or lease_ms > 3600000 then return redis.error_reply('BAD_CALL lease.acquire time') end
-- Ours: the answer to the first attempt was lost.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], lease_ms)
  return { 'ACQUIRED' }
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', lease_ms) then return { 'ACQUIRED' } end
return { 'BUSY', math.max(0, redis.call('PTTL', KEYS[1])) }
