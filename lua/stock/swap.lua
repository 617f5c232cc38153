-- Exchange units of a hold that other orders own, by what DynamoDB says, for others.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)
-- ARGV[1] holdId   ARGV[2] bornUs
--   then per item wanted, each item once: sku, quantity or seats ('2', '@A-1,B-2'), units that other orders own ('17-40', '@A-1', or '')
-- -> SWAPPED bornUs expiresAtMs slots lines | SOLD_OUT sku available | SEAT_TAKEN sku seats
--  | UNKNOWN_HOLD | ORDER_EXISTS | ALREADY_ENDED | NOT_LOADED
-- Acts only on a hold of this birth that no order has; another birth is UNKNOWN_HOLD.
-- Owned units leave the hold, the free pool, and the serials to come (the run that is next, so that a Redis that forgot a thousand of them costs
-- one retry), and become suspects: whoever reads their rows returns those that turn out to be free.
-- Owned units named, the sale is marked as `behind`, also when refused. (None: the hold is only filled up.)
-- Refused, the hold keeps what it has, without the owned ones; `available` counts what its buyer could have: kept, free and never given out.
-- A seat has no substitute: a wanted one that the hold does not have afterwards is SEAT_TAKEN, unless it is free.
local OWNED_MAX = 2000

-- Moves what is owned and in the free pool out of sale.
local function suspect_free(pools, item, sku, owned)
  each_run(owned, function(first, last)
    item.free = item.free - take_out(pools.free, sku, first, last, function(from, to) put_in(pools.suspects, sku, from, to) end)
  end)
end

-- Moves the next serial past the owned run that begins there.
local function skip_owned(pools, item, sku, is_owned)
  local first = item.next_serial
  while is_owned[item.next_serial] do
    item.next_serial = item.next_serial + 1
  end
  if item.next_serial > first then put_in(pools.suspects, sku, first, item.next_serial - 1) end
end

-- Serials never given out that are for sale and owned by nobody, as far as we were told.
local function unowned_ahead(item, owned)
  local count = math.max(0, item.total - item.next_serial + 1)
  for _, serial in ipairs(owned) do
    if serial >= item.next_serial and serial <= item.total then count = count - 1 end
  end
  return count
end

-- Fills a list of serials up to the quantity. The caller has seen that there are enough.
local function top_up(pools, item, sku, serials, quantity, is_owned)
  local returned, ranges, rest = find_lowest(pools.free, sku, math.max(0, math.min(item.free, quantity - #serials)))
  take_found(pools.free, ranges, rest)
  item.free = item.free - #returned
  for _, serial in ipairs(returned) do
    serials[#serials + 1] = serial
  end
  while #serials < quantity do
    skip_owned(pools, item, sku, is_owned)
    if item.next_serial > item.total then error('BROKEN free pool of ' .. sku) end
    serials[#serials + 1] = item.next_serial
    item.next_serial = item.next_serial + 1
  end
  skip_owned(pools, item, sku, is_owned)
  table.sort(serials)
end

local argc = #ARGV
if #KEYS ~= 4 or argc < 5 or argc > 2 + 3 * UNITS_PER_HOLD_MAX or (argc - 2) % 3 ~= 0 then return bad_call('swap arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local hold_id, field, born_us = ARGV[1], 'h:' .. ARGV[1], whole(ARGV[2], 1, TIME_US_MAX)
if not born_us then return bad_call('swap born') end
local wanted, seen, units, known = {}, {}, 0, 0
for at = 3, argc, 3 do
  local sku, asked, others = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local seats = named_seats(asked, UNITS_PER_HOLD_MAX)
  local quantity = seats and #seats or whole(asked, 1, UNITS_PER_HOLD_MAX)
  local owned
  if seats and others ~= '' then
    owned = named_seats(others, OWNED_MAX)
  else
    owned = expand(others, OWNED_MAX)
  end
  if not is_sku(sku) or seen[sku] or not quantity or not owned then return bad_call('swap line') end
  if seats and not can_own_seats(hold_id) then return bad_call('swap id') end
  seen[sku] = true
  units, known = units + quantity, known + #owned
  wanted[#wanted + 1] = { sku = sku, seats = seats, quantity = quantity, owned = owned, is_owned = set_of(owned) }
end
if units > UNITS_PER_HOLD_MAX or known > OWNED_MAX then return bad_call('swap quantity') end

local found = redis.call('HMGET', SALE, 's', field)
if not found[1] then return { 'NOT_LOADED' } end
if not found[2] then return { 'UNKNOWN_HOLD' } end
local hold = read_hold(found[2])
if hold.state == 'E' then return { 'ALREADY_ENDED' } end
if tonumber(hold.born_us) ~= born_us then return { 'UNKNOWN_HOLD' } end
if hold.state ~= 'H' then return { 'ORDER_EXISTS' } end
local held = {}
for _, line in ipairs(hold.lines) do
  if not seen[line.sku] then return bad_call('swap leaves out ' .. line.sku) end
  held[line.sku] = line.serials or line.seats
end
local items, unknown = read_items(SALE, skus_of(wanted))
if not items then return bad_call('swap item ' .. unknown) end
if line_of_wrong_kind(wanted, items) then return bad_call('swap kind') end
if line_of_wrong_kind(hold.lines, items) then error('BROKEN hold of another kind') end
for _, line in ipairs(wanted) do
  -- So many are enough, whichever of them are owned, or the hold's own.
  local want = line.seats and 0 or math.min(items[line.sku].free, line.quantity + #line.owned)
  if #find_lowest(POOLS.free, line.sku, want) ~= want then error('BROKEN free pool of ' .. line.sku) end
end

-- Takes what is owned from a line of units and out of sale. -> the line that is left, and a refusal when there are too few others
local function without_owned(item, line, had)
  local sku, kept = line.sku, pick(had, line.is_owned, false)
  each_run(pick(had, line.is_owned, true), function(first, last) put_in(POOLS.suspects, sku, first, last) end)
  suspect_free(POOLS, item, sku, line.owned)
  -- What the hold keeps may be for sale as well, given back by another that had it too (see keep_own in lib/returns.lua).
  each_run(kept, function(first, last) item.free = item.free - take_out(POOLS.free, sku, first, last) end)
  skip_owned(POOLS, item, sku, line.is_owned)
  local available = #kept + item.free + unowned_ahead(item, line.owned)
  return { sku = sku, serials = kept }, available < line.quantity and { 'SOLD_OUT', sku, available } or nil
end

-- The same for seats: each of them is free, or this hold's, or taken.
local function without_owned_seats(item, line, had)
  suspect_seats(POOLS, item, line.sku, line.owned, hold_id)
  local kept = seats_with(POOLS, line.sku, had, hold_id)
  local could_have = set_of(kept)
  for _, seat in ipairs(seats_with(POOLS, line.sku, line.seats, FREE_SEAT)) do
    could_have[seat] = true
  end
  local taken = pick(line.seats, could_have, false)
  return { sku = line.sku, seats = kept }, #taken > 0 and { 'SEAT_TAKEN', line.sku, table.concat(taken, ',') } or nil
end

hold.lines = {}
local refusal
for at, line in ipairs(wanted) do
  local remove = line.seats and without_owned_seats or without_owned
  local left, refused = remove(items[line.sku], line, held[line.sku] or {})
  hold.lines[at] = left
  refusal = refusal or refused
end

for at, line in ipairs(refusal and {} or wanted) do
  if line.seats then
    local seats = hold.lines[at].seats
    local missing = pick(line.seats, set_of(seats), false)
    take_seats(POOLS, items[line.sku], line.sku, missing, hold_id)
    for _, seat in ipairs(missing) do
      seats[#seats + 1] = seat
    end
  else
    top_up(POOLS, items[line.sku], line.sku, hold.lines[at].serials, line.quantity, line.is_owned)
  end
end
write_items(SALE, items)
redis.call('HSET', SALE, field, hold_text(hold))
-- Redis has handed out what an order owns: it may have forgotten that order, and others.
if known > 0 then redis.call('HSET', SALE, 'behind', 1) end
return refusal or { 'SWAPPED', hold.born_us, hold.expires_at_ms, hold.slots, lines_text(hold.lines) }
