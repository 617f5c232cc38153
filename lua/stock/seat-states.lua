-- Read what buyers see of some seats of an item, at one moment.
-- KEYS[1] sale   KEYS[2] seats (hashes)
-- ARGV[1] sku   ARGV[2] seats ('A-1,B-2', 1 to 1000 of them, each once)
-- -> STATES, then per seat in this order: free | held | sold | unknown
--  | NOT_LOADED
-- sold: retired, or the order that has it is confirmed. held: somebody's otherwise, or under suspicion. unknown: not a seat that Redis has.
if #KEYS ~= 2 or #ARGV ~= 2 then return bad_call('seat-states arity') end
local SALE, SEATS = KEYS[1], KEYS[2]
local sku, seats = ARGV[1], read_seats(ARGV[2], 1000)
if not is_sku(sku) then return bad_call('seat-states sku') end
if not seats then return bad_call('seat-states seats') end
if redis.call('HEXISTS', SALE, 's') == 0 then return { 'NOT_LOADED' } end

local function is_confirmed(hold_id)
  local record = redis.call('HGET', SALE, 'h:' .. hold_id)
  return record and string.sub(record, 1, 1) == 'C'
end

local reply = { 'STATES' }
for _, owner in ipairs(seat_owners(SEATS, sku, seats)) do
  local state = 'held'
  if not owner then
    state = 'unknown'
  elseif owner == FREE_SEAT then
    state = 'free'
  elseif owner == RETIRED_SEAT or (owner ~= SUSPECT_SEAT and is_confirmed(owner)) then
    state = 'sold'
  end
  reply[#reply + 1] = state
end
return reply
