-- Bring a hold in line with its order in DynamoDB, which decides. May run any number of times, at any later moment.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- ARGV[1] holdId   ARGV[2] buyerId   ARGV[3] payloadHash   ARGV[4] bornUs   ARGV[5] expiresAtMs   ARGV[6] slots (bit mask)
-- ARGV[7] live|confirmed|ended|retired   then the order's units per item, each item once: sku, units ('1-3,7', or seats '@A-1,B-2')
--   none for an order that ended before it had any
-- -> ACKNOWLEDGED | RELEASED | ALREADY_ENDED | NOT_LOADED
-- live, confirmed: the hold has exactly the order's units and slots afterwards. Its surplus goes back for sale; what it misses is adopted, wherever it is.
--   A hold that has to be made anew was forgotten, so the sale is marked as behind.
--   An end is final: ALREADY_ENDED, and no effect, however late this runs.
-- retired: the hold ends, whatever it had and also when it is not there (RELEASED). The order's units are out of sale from then on and its slots stay
--   used; only what the hold had besides goes back. Of a hold that has ended (ALREADY_ENDED) this holds too: another hold that had such a unit may
--   have given it back since, or left it among the suspects.
-- A seat that another hold has in Redis is the order's nevertheless, and that hold can't give it back any more.
-- ended: the hold's units and slots go back (RELEASED). A hold that is not there is marked as ended, so that a retry of its key takes no units.
--   The order's own slots are free as well: Redis may have learned them from their rows while it had no hold of the order, or another. Only once, with
--   the mark. Should a later order of the buyer use one of them by then, its row refuses the next to get it, and that one is given another.
local argc = #ARGV
if #KEYS ~= 4 or argc < 7 or argc > 7 + 2 * UNITS_PER_HOLD_MAX or argc % 2 == 0 then return bad_call('acknowledge arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local hold_id, order_state = ARGV[1], ARGV[7]
local order = {
  state = order_state == 'confirmed' and 'C' or 'A', buyer_id = ARGV[2], payload_hash = ARGV[3], born_us = ARGV[4], expires_at_ms = ARGV[5],
  slots = whole(ARGV[6], 0, SLOTS_MASK_MAX), lines = {},
}
if not (is_id(hold_id) and is_id(order.buyer_id) and is_id(order.payload_hash)) then return bad_call('acknowledge id') end
if not (whole(order.born_us, 1, TIME_US_MAX) and whole(order.expires_at_ms, 1, TIME_MS_MAX)) then return bad_call('acknowledge time') end
if not order.slots then return bad_call('acknowledge slots') end
local is_retired = order_state == 'retired'
if order_state ~= 'live' and order_state ~= 'confirmed' and order_state ~= 'ended' and not is_retired then
  return bad_call('acknowledge state')
end
if argc == 7 and (order_state == 'live' or order_state == 'confirmed') then return bad_call('acknowledge without units') end
local ordered = {}
for at = 8, argc, 2 do
  local line = read_line(ARGV[at], ARGV[at + 1], UNITS_PER_HOLD_MAX)
  if not line or ordered[line.sku] then return bad_call('acknowledge line') end
  if line.seats and not can_own_seats(hold_id) then return bad_call('acknowledge id') end
  ordered[line.sku] = line.serials or line.seats
  order.lines[#order.lines + 1] = line
end
if count_units(order.lines) > UNITS_PER_HOLD_MAX then return bad_call('acknowledge quantity') end

local field = 'h:' .. hold_id
local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
local hold = found[2] and read_hold(found[2])
local has_ended = hold and hold.state == 'E'
if has_ended and not is_retired then return { 'ALREADY_ENDED' } end

local skus = skus_of(order.lines)
for _, sku in ipairs(hold and skus_of(hold.lines) or {}) do
  skus[#skus + 1] = sku
end
local items, unknown = read_items(SALE, skus)
if not items then return bad_call('acknowledge item ' .. unknown) end
if line_of_wrong_kind(order.lines, items) then return bad_call('acknowledge kind') end
if hold and line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end

if order_state == 'ended' then
  if hold then give_all_back(SALE, POOLS, items, hold_id, hold) end
  change_slots(SALE, order.buyer_id, order.slots, 0)
  redis.call('HSET', SALE, field, ended_text(hold or order))
  redis.call('HDEL', SALE, 'w:' .. hold_id)
  return { hold and 'RELEASED' or 'ALREADY_ENDED' }
end

local held = {}
for _, line in ipairs(hold and hold.lines or {}) do
  local item, kept = items[line.sku], set_of(ordered[line.sku] or {})
  if line.seats then
    local give_back_seats = seat_moves()
    give_back_seats(POOLS, item, line.sku, pick(line.seats, kept, false), hold_id)
  else
    held[line.sku] = set_of(line.serials)
    give_back(POOLS, item, line.sku, pick(line.serials, kept, false))
  end
end
for _, line in ipairs(order.lines) do
  if line.seats then
    local _, take_seats = seat_moves()
    take_seats(POOLS, items[line.sku], line.sku, line.seats, is_retired and RETIRED_SEAT or hold_id)
  else
    adopt(POOLS, items[line.sku], line.sku, pick(line.serials, held[line.sku] or {}, false))
    -- What the hold had moves as well: it is in no hold from now on.
    if is_retired then unwatch(SALE, line.sku, line.serials) end
    -- What the hold had already may stand among the suspects too, put there by the loser of a collision.
    each_run(line.serials, function(first, last) take_out(POOLS.suspects, line.sku, first, last) end)
  end
end
write_items(SALE, items)
change_slots(SALE, order.buyer_id, hold and hold.slots or 0, order.slots)
if has_ended then return { 'ALREADY_ENDED' } end
if hold and hold.state == 'C' then order.state = 'C' end
redis.call('HSET', SALE, field, is_retired and ended_text(order) or hold_text(order))
if hold and hold.state == 'H' then redis.call('HDEL', SALE, 'w:' .. hold_id) end
-- Redis made every order's hold: this one it has forgotten, and maybe others.
if not hold then redis.call('HSET', SALE, 'behind', 1) end
return { is_retired and 'RELEASED' or 'ACKNOWLEDGED' }
