-- Put a chunk of an item's seats into a load. A seat that a unit's row has taken already stays taken, the others are free.
-- KEYS[1] sale (hash)   KEYS[2] seats (hash)   KEYS[3] chunks (set)
-- ARGV[1] epoch   ARGV[2] chunk   ARGV[3] sku   then the names of 1 to 1000 seats, which no other chunk names
-- -> TAKEN | STALE_EPOCH
local argc = #ARGV
if #KEYS ~= 3 or argc < 4 or argc > 3 + 1000 then return bad_call('load-seats arity') end
local SALE, SEATS, CHUNKS = KEYS[1], KEYS[2], KEYS[3]
local epoch, chunk, sku = whole(ARGV[1], 1, SERIAL_MAX), whole(ARGV[2], 1, CHUNKS_MAX), ARGV[3]
if not epoch or not chunk then return bad_call('load-seats chunk') end
if not is_sku(sku) then return bad_call('load-seats sku') end
for at = 4, argc do
  if not is_seat(ARGV[at]) then return bad_call('load-seats seat') end
end
if not is_loading(SALE, epoch) then return { 'STALE_EPOCH' } end
if redis.call('SADD', CHUNKS, chunk) == 0 then return { 'TAKEN' } end

local total, free = 0, 0
for at = 4, argc do
  total = total + 1
  free = free + redis.call('HSETNX', SEATS, sku .. '|' .. ARGV[at], '')
end
count_seats(SALE, sku, total, free)
return { 'TAKEN' }
