-- Carts: a buyer's units that no order has asked for yet. The record is a hold's, of state K, under an id that no order can have.
-- Its units are out of the free pool and its slots are used, as a hold's are. It ends by its own time, in Redis alone: DynamoDB does not know of it.

local CART_LIVES = 3

-- -> milliseconds as a number, microseconds as digits
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000), time[1] .. string.sub('00000' .. time[2], -6)
end

-- When a cart ends that is changed now: a hold's time from now on, and never later than three hold times after its birth.
local function cart_expiry(born_us, now_ms, hold_ms)
  return math.min(now_ms + hold_ms, math.floor(born_us / 1000) + CART_LIVES * hold_ms)
end

-- The lowest of these slots, so many of them.
local function keep_slots(slots, quantity)
  local kept, slot = 0, 1
  while slots > 0 and quantity > 0 do
    if slots % 2 == 1 then
      kept = kept + slot
      quantity = quantity - 1
    end
    slots = math.floor(slots / 2)
    slot = slot * 2
  end
  return kept
end

-- All that a cart has goes back for sale. A mark stays: whoever checks it out hears that it has expired, and not that there was none.
local function end_cart(sale_key, pools, carts_key, cart_id, cart)
  local items, unknown = read_items(sale_key, skus_of(cart.lines))
  if not items then error('BROKEN cart of unknown item ' .. unknown) end
  if line_of_wrong_kind(cart.lines, items) then error('BROKEN cart of another kind') end
  give_all_back(sale_key, pools, items, cart_id, cart)
  cart.lines, cart.slots = {}, 0
  redis.call('HSET', sale_key, 'h:' .. cart_id, hold_text(cart))
  redis.call('ZREM', carts_key, cart_id)
end

-- The cart that a record tells of, or nil, and then whether there was one whose time is up. One that nobody has ended yet is ended here.
local function live_cart(sale_key, pools, carts_key, cart_id, record, now_ms)
  if not record then return nil, false end
  local cart = read_hold(record)
  if cart.state ~= 'K' then error('BROKEN cart record') end
  if #cart.lines == 0 then return nil, true end
  if now_ms < tonumber(cart.expires_at_ms) then return cart, false end
  end_cart(sale_key, pools, carts_key, cart_id, cart)
  return nil, true
end

-- Takes seats off the lines that orders turned out to own, and lines that are empty then. Writes nothing.
-- -> the first line that lost some, with those: { sku, seats }, or nil
local function without_lost_seats(pools, cart_id, cart)
  local _, _, seats_with = seat_moves()
  local lines, lost = {}, nil
  for _, line in ipairs(cart.lines) do
    if line.seats then
      local kept = seats_with(pools, line.sku, line.seats, cart_id)
      if #kept < #line.seats then lost = lost or { sku = line.sku, seats = pick(line.seats, set_of(kept), false) } end
      line.seats = kept
    end
    if #(line.seats or line.serials) > 0 then lines[#lines + 1] = line end
  end
  cart.lines = lines
  return lost
end

-- Writes a cart as it is now. Of one without lines nothing stays.
local function put_cart(sale_key, carts_key, cart_id, cart)
  if #cart.lines == 0 then
    redis.call('HDEL', sale_key, 'h:' .. cart_id)
    redis.call('ZREM', carts_key, cart_id)
  else
    redis.call('HSET', sale_key, 'h:' .. cart_id, hold_text(cart))
    redis.call('ZADD', carts_key, cart.expires_at_ms, cart_id)
  end
end

-- Writes a cart that has fewer units than before; slots that it needs no more are free.
local function shrink_cart(sale_key, carts_key, cart_id, cart)
  local slots = keep_slots(cart.slots, count_units(cart.lines))
  change_slots(sale_key, cart.buyer_id, cart.slots, slots)
  cart.slots = slots
  put_cart(sale_key, carts_key, cart_id, cart)
end

local function cart_reply(cart)
  if not cart or #cart.lines == 0 then return { 'CART', 0, '' } end
  return { 'CART', cart.expires_at_ms, lines_text(cart.lines) }
end
