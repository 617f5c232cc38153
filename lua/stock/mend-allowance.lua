-- Teach Redis which allowance slots a buyer's other orders use, by what DynamoDB says, and give a hold others where they collide.
-- KEYS[1] sale (hash)
-- ARGV[1] holdId   ARGV[2] bornUs   ARGV[3] slots (bit mask) that other orders of the hold's buyer use
-- -> MENDED slots | BUYER_LIMIT limit used | UNKNOWN_HOLD | ORDER_EXISTS | ALREADY_ENDED | NOT_LOADED
-- Acts only on a hold of this birth that no order has; another birth is UNKNOWN_HOLD.
-- Mended or refused, the sale is marked as `behind`; not one without a limit, which has no slots.
-- Refused, the hold loses the slots that are not its own, so that its end does not free them; a replay of it is refused as well.
if #KEYS ~= 1 or #ARGV ~= 3 then return bad_call('mend-allowance arity') end
local SALE, field = KEYS[1], 'h:' .. ARGV[1]
local born_us, theirs = whole(ARGV[2], 1, TIME_US_MAX), whole(ARGV[3], 0, SLOTS_MASK_MAX)
if not born_us then return bad_call('mend-allowance born') end
if not theirs then return bad_call('mend-allowance slots') end

local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
if not found[2] then return { 'UNKNOWN_HOLD' } end
local hold = read_hold(found[2])
if hold.state == 'E' then return { 'ALREADY_ENDED' } end
if tonumber(hold.born_us) ~= born_us then return { 'UNKNOWN_HOLD' } end
if hold.state ~= 'H' then return { 'ORDER_EXISTS' } end
local limit = tonumber((select(4, string.match(found[1], SALE_RECORD))))
if limit == 0 then return { 'MENDED', 0 } end

local mask = bit.bor(tonumber(redis.call('HGET', SALE, 'b:' .. hold.buyer_id) or 0), theirs)
local own = bit.band(hold.slots, bit.bnot(theirs))
local missing = count_units(hold.lines) - count_slots(own)
local used = count_slots(mask)
local is_refused = missing > 0 and used + missing > limit
local granted = (is_refused or missing <= 0) and 0 or grant_slots(mask, missing)

hold.slots = bit.bor(own, granted)
change_slots(SALE, hold.buyer_id, 0, bit.bor(theirs, granted))
redis.call('HSET', SALE, field, hold_text(hold))
-- Redis has granted a slot that an order uses: it may have forgotten that order, and others.
redis.call('HSET', SALE, 'behind', 1)
if is_refused then return { 'BUYER_LIMIT', limit, used - count_slots(own) } end
return { 'MENDED', hold.slots }
