-- Bring a hold in line with its order in DynamoDB, which decides. May run any number of times, at any later moment.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   ARGV[4] bornUs   ARGV[5] expiresAtMs   ARGV[6] slots (bit mask)
-- ARGV[7] live|confirmed|ended   then the order's units per item, each item once: sku, units ('1-3,7')
-- -> ACKNOWLEDGED | RELEASED | ALREADY_ENDED | NOT_LOADED
-- live, confirmed: the hold has exactly the order's units and slots afterwards. Its surplus goes back for sale; what it misses is adopted, wherever it is.
--   A hold that has to be made anew was forgotten, so the sale is marked as behind.
--   An end is final: ALREADY_ENDED, and no effect, however late this runs.
-- ended: the hold's units and slots go back (RELEASED). A hold that is not there is marked as ended, so that a retry of its key takes no units.
local argc = #ARGV
if #KEYS ~= 3 or argc < 9 or argc > 7 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('acknowledge arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local order_state = ARGV[7]
local order = {
  state = order_state == 'confirmed' and 'C' or 'A', buyer_id = ARGV[2], payload_hash = ARGV[3], born_us = ARGV[4], expires_at_ms = ARGV[5],
  slots = whole(ARGV[6], 0, SLOTS_MASK_MAX), lines = {},
}
if not (is_id(ARGV[1]) and is_id(order.buyer_id) and is_id(order.payload_hash)) then return bad_call('acknowledge id') end
if not (whole(order.born_us, 1, TIME_US_MAX) and whole(order.expires_at_ms, 1, TIME_MS_MAX)) then return bad_call('acknowledge time') end
if not order.slots then return bad_call('acknowledge slots') end
if order_state ~= 'live' and order_state ~= 'confirmed' and order_state ~= 'ended' then return bad_call('acknowledge state') end
local ordered, units = {}, 0
for at = 8, argc, 2 do
  local sku, serials = ARGV[at], expand(ARGV[at + 1], UNITS_PER_HOLD_MAX)
  if not is_sku(sku) or ordered[sku] or not serials or #serials == 0 then return bad_call('acknowledge line') end
  ordered[sku] = serials
  units = units + #serials
  order.lines[#order.lines + 1] = { sku = sku, serials = serials }
end
if units > UNITS_PER_HOLD_MAX then return bad_call('acknowledge quantity') end

local field = 'h:' .. ARGV[1]
local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
local hold = found[2] and read_hold(found[2])
if hold and hold.state == 'E' then return { 'ALREADY_ENDED' } end

local skus = skus_of(order.lines)
for _, sku in ipairs(hold and skus_of(hold.lines) or {}) do
  skus[#skus + 1] = sku
end
local items, unknown = read_items(SALE, skus)
if not items then return bad_call('acknowledge item ' .. unknown) end

if order_state == 'ended' then
  if hold then give_all_back(SALE, POOLS, items, hold) end
  redis.call('HSET', SALE, field, ended_text(hold or order))
  return { hold and 'RELEASED' or 'ALREADY_ENDED' }
end

local held = {}
for _, line in ipairs(hold and hold.lines or {}) do
  held[line.sku] = set_of(line.serials)
  local kept = set_of(ordered[line.sku] or {})
  give_back(POOLS, items[line.sku], line.sku, pick(line.serials, kept, false))
end
for _, line in ipairs(order.lines) do
  adopt(POOLS, items[line.sku], line.sku, pick(line.serials, held[line.sku] or {}, false))
  -- What the hold had already may stand among the suspects too, put there by the loser of a collision.
  each_run(line.serials, function(first, last) take_out(POOLS.suspects, line.sku, first, last) end)
end
write_items(SALE, items)
change_slots(SALE, order.buyer_id, hold and hold.slots or 0, order.slots)
if hold and hold.state == 'C' then order.state = 'C' end
redis.call('HSET', SALE, field, hold_text(order))
-- Redis made every order's hold: this one it has forgotten, and maybe others.
if not hold then redis.call('HSET', SALE, 'behind', 1) end
return { 'ACKNOWLEDGED' }
