-- Make a lease last longer, if it is still ours.
-- KEYS[1] lease (string)
-- ARGV[1] owner token   ARGV[2] leaseMs, from now
-- -> RENEWED | LOST
if #KEYS ~= 1 or #ARGV ~= 2 then return redis.error_reply('BAD_CALL lease.renew arity') end
local lease_ms = string.find(ARGV[2], '^[1-9]%d*$') and tonumber(ARGV[2])
if ARGV[1] == '' then return redis.error_reply('BAD_CALL lease.renew owner') end
if not lease_ms or lease_ms > 3600000 then return redis.error_reply('BAD_CALL lease.renew time') end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'LOST' } end
redis.call('PEXPIRE', KEYS[1], lease_ms)
return { 'RENEWED' }
