-- Mark a hold's order as confirmed: its units are the buyer's.
-- KEYS[1] sale (hash)
-- ARGV[1] holdId
-- -> CONFIRMED | ALREADY_CONFIRMED | NOT_ACKNOWLEDGED | ALREADY_ENDED | UNKNOWN_HOLD | NOT_LOADED
-- DynamoDB has decided before this runs: it only keeps Redis' copy true, and no stock moves.
-- A hold that was never compared with its order may have other units than it: NOT_ACKNOWLEDGED, and it stays on the expiry list.
if #KEYS ~= 1 or #ARGV ~= 1 then return bad_call('confirm arity') end
local SALE, FIELD = KEYS[1], 'h:' .. ARGV[1]
local found = redis.call('HMGET', SALE, 's', FIELD)
if not found[1] then return { 'NOT_LOADED' } end
if not found[2] then return { 'UNKNOWN_HOLD' } end
local state = string.sub(found[2], 1, 1)
if state == 'E' then return { 'ALREADY_ENDED' } end
if state == 'C' then return { 'ALREADY_CONFIRMED' } end
if state == 'H' then return { 'NOT_ACKNOWLEDGED' } end
redis.call('HSET', SALE, FIELD, 'C' .. string.sub(found[2], 2))
return 'CONFIRMED'
