-- Put a seat right that nobody has, though its field says otherwise.
-- KEYS[1] sale (hash)   KEYS[2] suspects (sorted set)   KEYS[3] seats (hash)
-- After the fence: ARGV[1] sku   ARGV[2] seat   ARGV[3] what its field was seen to have: a holdId, '?' or '-'
-- -> FREED | LISTED | CHANGED | NOT_LOADED | STALE_EPOCH
-- A seat of a hold that is not there, has ended, or does not name it, is free again; so is one out of sale, of which no row says so. One under suspicion
-- is listed, so that whoever reads its row decides. CHANGED: its field has something else, or its hold names it, or it is listed.
if #KEYS ~= 3 or #ARGV ~= 3 then return bad_call('mend-seat arity') end
local SALE, POOLS = KEYS[1], { suspects = KEYS[2], seats = KEYS[3] }
local sku, names, seen = ARGV[1], read_seats(ARGV[2], 1), ARGV[3]
if not is_sku(sku) or not names or names[1] == '' then return bad_call('mend-seat seat') end
if seen == '' then return bad_call('mend-seat owner') end
local items = read_items(SALE, { sku })
if not items or not items[sku].is_seated then return bad_call('mend-seat item ' .. sku) end
if #seats_with(POOLS, sku, names, seen) == 0 then return { 'CHANGED' } end
if seen == SUSPECT_SEAT then
  local is_new = redis.call('ZADD', POOLS.suspects, 0, suspect_seat(sku, names[1])) == 1
  return { is_new and 'LISTED' or 'CHANGED' }
end
local record = redis.call('HGET', SALE, 'h:' .. seen)
for _, line in ipairs(record and read_hold(record).lines or {}) do
  if line.sku == sku and line.seats and set_of(line.seats)[names[1]] then return { 'CHANGED' } end
end

give_back_seats(POOLS, items[sku], sku, names, seen)
write_items(SALE, items)
return { 'FREED' }
