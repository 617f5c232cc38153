-- Begin to count what an item has free: from here on its record shows whether any of it moved.
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] sku   ARGV[2] token, of this count alone: letters, digits and '-'
-- -> COUNTING kind total free | NOT_LOADED | STALE_EPOCH     kind: counted or seated; total, free: as the record has them
-- The mark stands at the end of the item's record, where whoever moves a unit writes it anew and leaves the mark out. So nobody pays for it,
-- and one that is left behind by a count that never ended says nothing and goes with the next unit that moves.
if #KEYS ~= 1 or #ARGV ~= 2 then return bad_call('mend-count-begin arity') end
local SALE, sku, token = KEYS[1], ARGV[1], ARGV[2]
if not is_sku(sku) then return bad_call('mend-count-begin sku') end
if not is_count_token(token) then return bad_call('mend-count-begin token') end
local items = read_items(SALE, { sku })
if not items then return bad_call('mend-count-begin item ' .. sku) end
local item = items[sku]
redis.call('HSET', SALE, 'i:' .. sku, item_text(item) .. count_mark(token))
return { 'COUNTING', item.is_seated and 'seated' or 'counted', item.total, item.free }
