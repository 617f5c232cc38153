-- Put seats of a seated item on sale.
-- KEYS[1] sale   KEYS[2] seats (hashes)
-- ARGV[1] sku   ARGV[2] seats ('A-1,B-2', 1 to 1000 of them, each once)
-- -> ADDED count | NOT_LOADED     count: the seats that were not there. The others stay as they are, whoever has them.
if #KEYS ~= 2 or #ARGV ~= 2 then return bad_call('add-seats arity') end
local SALE, SEATS = KEYS[1], KEYS[2]
local sku, seats = ARGV[1], read_seats(ARGV[2], 1000)
if not is_sku(sku) then return bad_call('add-seats sku') end
if not seats then return bad_call('add-seats seats') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end
local items = read_items(SALE, { sku })
if not items then return bad_call('add-seats item ' .. sku) end
local item = items[sku]
if not item.is_seated then return bad_call('add-seats kind ' .. sku) end

local fresh = {}
for index, owner in ipairs(seat_owners(SEATS, sku, seats)) do
  if not owner then fresh[#fresh + 1] = seats[index] end
end
put_seats(SEATS, sku, fresh, FREE_SEAT)
item.total, item.next_serial, item.free = item.total + #fresh, item.next_serial + #fresh, item.free + #fresh
write_items(SALE, items)
return { 'ADDED', #fresh }
