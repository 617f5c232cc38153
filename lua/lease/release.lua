-- Give a lease up, if it is still ours: one that ran out may be somebody else's by now.
-- KEYS[1] lease (string)
-- ARGV[1] owner token
-- -> RELEASED | LOST
if #KEYS ~= 1 or #ARGV ~= 1 then return redis.error_reply('BAD_CALL lease.release arity') end
if ARGV[1] == '' then return redis.error_reply('BAD_CALL lease.release owner') end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'LOST' } end
redis.call('DEL', KEYS[1])
return { 'RELEASED' }
