-- Put an item's counters right by a count that was made page by page, if nothing of the item moved meanwhile. Ends the count.
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] sku   ARGV[2] token, of this count   ARGV[3] seats counted (0 for a counted item)   ARGV[4] units or seats counted as free
-- -> COUNTED before after | CHANGED | NOT_LOADED | STALE_EPOCH     before, after: free by the counter. CHANGED: something moved; nothing was done.
-- Otherwise no counter is ever set from what was seen earlier: the units that moved since would be forgotten. Here none has moved. Who takes a unit
-- from the free ones, brings one back, or adds a seat, writes the item's record in the same script, also when that ends in the same numbers, and so takes
-- off the mark that mend-count-begin left. A mark that is still there says that every page of the count saw the same state, which is that of this moment.
-- (That the numbers of the record are the same would not say it: a unit may have been taken and have come back while its page was read.)
if #KEYS ~= 1 or #ARGV ~= 4 then return bad_call('mend-count arity') end
local SALE, sku, token = KEYS[1], ARGV[1], ARGV[2]
local total, free = whole(ARGV[3], 0, SERIAL_MAX), whole(ARGV[4], 0, SERIAL_MAX)
if not is_sku(sku) then return bad_call('mend-count sku') end
if not is_count_token(token) then return bad_call('mend-count token') end
if not total or not free then return bad_call('mend-count counted') end
local items = read_items(SALE, { sku })
if not items then return bad_call('mend-count item ' .. sku) end
local item = items[sku]
if redis.call('HGET', SALE, 'i:' .. sku) ~= item_text(item) .. count_mark(token) then return { 'CHANGED' } end

local before = item.free
item.free = free
if item.is_seated then item.total, item.next_serial = total, total + 1 end
write_items(SALE, items)
return { 'COUNTED', before, free }
