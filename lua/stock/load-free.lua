-- Put a chunk of free ranges into a load: counted units below the highest owned one that have no row.
-- KEYS[1] sale (hash)   KEYS[2] free units (sorted set)   KEYS[3] chunks (set)
-- ARGV[1] epoch   ARGV[2] chunk   then 1 to 500 ranges: sku, first, last. Ranges of one item neither overlap nor touch, in any chunk.
-- -> TAKEN | STALE_EPOCH
local argc = #ARGV
if #KEYS ~= 3 or argc < 5 or argc > 2 + 3 * 500 or (argc - 2) % 3 ~= 0 then return bad_call('load-free arity') end
local SALE, FREE, CHUNKS = KEYS[1], KEYS[2], KEYS[3]
local epoch, chunk = whole(ARGV[1], 1, SERIAL_MAX), whole(ARGV[2], 1, CHUNKS_MAX)
if not epoch or not chunk then return bad_call('load-free chunk') end
local query = { 'ZADD', FREE }
for at = 3, argc, 3 do
  local sku, first, last = ARGV[at], whole(ARGV[at + 1], 1, SERIAL_MAX), whole(ARGV[at + 2], 1, SERIAL_MAX)
  if not is_sku(sku) or not first or not last or last < first then return bad_call('load-free range') end
  query[#query + 1] = 0
  query[#query + 1] = range_text(sku, first, last)
end
if not is_loading(SALE, epoch) then return { 'STALE_EPOCH' } end
if redis.call('SADD', CHUNKS, chunk) == 1 then redis.call(unpack(query)) end
return { 'TAKEN' }
