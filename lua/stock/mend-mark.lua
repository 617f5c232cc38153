-- Put the mark of an ended order where Redis has forgotten its hold, so that a retry of its key looks up the order and takes no units.
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   ARGV[4] bornUs   ARGV[5] expiresAtMs
-- -> MARKED | CHANGED | NOT_LOADED | STALE_EPOCH     CHANGED: there is a hold, or a mark
if #KEYS ~= 1 or #ARGV ~= 5 then return bad_call('mend-mark arity') end
local SALE, field = KEYS[1], 'h:' .. ARGV[1]
local order = { buyer_id = ARGV[2], payload_hash = ARGV[3], born_us = ARGV[4], expires_at_ms = ARGV[5] }
if not (is_id(ARGV[1]) and is_id(order.buyer_id) and is_id(order.payload_hash)) then return bad_call('mend-mark id') end
if not (whole(order.born_us, 1, TIME_US_MAX) and whole(order.expires_at_ms, 1, TIME_MS_MAX)) then return bad_call('mend-mark time') end
if redis.call('HSETNX', SALE, field, ended_text(order)) == 0 then return { 'CHANGED' } end
return { 'MARKED' }
