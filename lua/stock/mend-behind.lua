-- Set the mark that says that Redis may have forgotten orders, or take it off.
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] set|begin|end   ARGV[2] token, of whoever begins and ends
-- -> DONE | CHANGED | NOT_LOADED | STALE_EPOCH
-- set: the mark is there. begin: a mark that is there has this token from now on (CHANGED: there is none). end: it goes, if it still has the token.
-- Whoever finds an order that Redis had forgotten sets the mark anew: it has no token then, so an end that began before is CHANGED.
if #KEYS ~= 1 or #ARGV ~= 2 then return bad_call('mend-behind arity') end
local SALE, verb, token = KEYS[1], ARGV[1], ARGV[2]
if verb ~= 'set' and verb ~= 'begin' and verb ~= 'end' then return bad_call('mend-behind verb') end
if not is_id(token) or token == '1' then return bad_call('mend-behind token') end
local found = redis.call('HGET', SALE, 'behind')
if verb == 'set' then
  redis.call('HSET', SALE, 'behind', 1)
elseif verb == 'begin' then
  if not found then return { 'CHANGED' } end
  redis.call('HSET', SALE, 'behind', token)
else
  if found ~= token then return { 'CHANGED' } end
  redis.call('HDEL', SALE, 'behind')
end
return { 'DONE' }
