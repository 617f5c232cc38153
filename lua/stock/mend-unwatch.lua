-- End a watch of units in one shard of a sale, and see which of them are still on it: those that nobody moved here since it began.
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] token, of the watch   then per item, 1 to 50, each once: sku
-- -> LEFT lines | NOT_LOADED | STALE_EPOCH
-- What is nobody's in any shard can be moved by nobody: what was left on the watch of each shard is freed in one of them (mend-free).
local argc = #ARGV
if #KEYS ~= 1 or argc < 2 or argc > 1 + 50 then return bad_call('mend-unwatch arity') end
local SALE, token = KEYS[1], ARGV[1]
if not is_id(token) then return bad_call('mend-unwatch token') end
local named = {}
for at = 2, argc do
  if not is_sku(ARGV[at]) or named[ARGV[at]] then return bad_call('mend-unwatch sku') end
  named[ARGV[at]] = true
end

local lines = {}
for at = 2, argc do
  local field = 'y:' .. ARGV[at]
  local by, text = string.match(redis.call('HGET', SALE, field) or '', '^([^|]*)|(.*)$')
  if by == token then
    redis.call('HDEL', SALE, field)
    local serials = expand(text, WATCHED_MAX)
    if #serials > 0 then lines[#lines + 1] = { sku = ARGV[at], serials = serials } end
  end
end
return { 'LEFT', lines_text(lines) }
