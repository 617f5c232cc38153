-- Exchange units of a hold that other orders own, by what DynamoDB says, for others.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)
-- ARGV[1] holdId   ARGV[2] bornUs   then per item wanted, each item once: sku, quantity, units that other orders own ('17-40', or '')
-- -> SWAPPED bornUs expiresAtMs slots lines | SOLD_OUT sku available | UNKNOWN_HOLD | ORDER_EXISTS | ALREADY_ENDED | NOT_LOADED
-- Acts only on a hold of this birth that no order has; another birth is UNKNOWN_HOLD.
-- Owned units leave the hold, the free pool, and the serials to come (the run that is next, so that a Redis that forgot a thousand of them costs
-- one retry), and become suspects: whoever reads their rows returns those that turn out to be free.
-- Owned units named, the sale is marked as `behind`, also when refused. (None: the hold is only filled up.)
-- Refused, the hold keeps what it has, without the owned ones; `available` counts what its buyer could have: kept, free and never given out.
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
if #KEYS ~= 3 or argc < 5 or argc > 2 + 3 * UNITS_PER_HOLD_MAX or (argc - 2) % 3 ~= 0 then return bad_call('swap arity') end
local SALE, POOLS = KEYS[1], { free = KEYS[2], suspects = KEYS[3] }
local field, born_us = 'h:' .. ARGV[1], whole(ARGV[2], 1, TIME_US_MAX)
if not born_us then return bad_call('swap born') end
local wanted, seen, units, known = {}, {}, 0, 0
for at = 3, argc, 3 do
  local sku, quantity, owned = ARGV[at], whole(ARGV[at + 1], 1, UNITS_PER_HOLD_MAX), expand(ARGV[at + 2], OWNED_MAX)
  if not is_sku(sku) or seen[sku] or not quantity or not owned then return bad_call('swap line') end
  seen[sku] = true
  units, known = units + quantity, known + #owned
  wanted[#wanted + 1] = { sku = sku, quantity = quantity, owned = owned, is_owned = set_of(owned) }
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
  held[line.sku] = line.serials
end
local items, unknown = read_items(SALE, skus_of(wanted))
if not items then return bad_call('swap item ' .. unknown) end

hold.lines = {}
local sold_out
for at, line in ipairs(wanted) do
  local sku, item = line.sku, items[line.sku]
  local had = held[sku] or {}
  local kept = pick(had, line.is_owned, false)
  each_run(pick(had, line.is_owned, true), function(first, last) put_in(POOLS.suspects, sku, first, last) end)
  suspect_free(POOLS, item, sku, line.owned)
  skip_owned(POOLS, item, sku, line.is_owned)
  hold.lines[at] = { sku = sku, serials = kept }
  local available = #kept + item.free + unowned_ahead(item, line.owned)
  if not sold_out and available < line.quantity then sold_out = { 'SOLD_OUT', sku, available } end
end

if not sold_out then
  for at, line in ipairs(wanted) do
    top_up(POOLS, items[line.sku], line.sku, hold.lines[at].serials, line.quantity, line.is_owned)
  end
end
write_items(SALE, items)
redis.call('HSET', SALE, field, hold_text(hold))
-- Redis has handed out what an order owns: it may have forgotten that order, and others.
if known > 0 then redis.call('HSET', SALE, 'behind', 1) end
return sold_out or { 'SWAPPED', hold.born_us, hold.expires_at_ms, hold.slots, lines_text(hold.lines) }
