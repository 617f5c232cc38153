-- Take a line, or everything, out of a buyer's cart: its units and slots go back. Whatever the sale's state is, and any number of times.
-- KEYS[1] sale (hash)   KEYS[2] free units   KEYS[3] suspects (sorted sets)   KEYS[4] seats (hash)   KEYS[5] carts (sorted set)
-- ARGV[1] cartId   ARGV[2] sku ('': the whole cart)
-- -> CART expiresAtMs lines | NOT_LOADED     of an empty cart: 0 and ''
-- When the cart ends is as it was. A cart whose time is up is ended; dropped as a whole, not even the mark of that stays.
if #KEYS ~= 5 or #ARGV ~= 2 then return bad_call('cart-drop arity') end
local SALE, CARTS = KEYS[1], KEYS[5]
local POOLS = { free = KEYS[2], suspects = KEYS[3], seats = KEYS[4] }
local cart_id, sku = ARGV[1], ARGV[2]
if not is_id(cart_id) then return bad_call('cart-drop id') end
if sku ~= '' and not is_sku(sku) then return bad_call('cart-drop sku') end

local found = redis.call('HMGET', SALE, 's', 'h:' .. cart_id)
if not found[1] then return { 'NOT_LOADED' } end
local cart = live_cart(SALE, POOLS, CARTS, cart_id, found[2], (clock()))
if sku == '' then
  if cart then end_cart(SALE, POOLS, CARTS, cart_id, cart) end
  redis.call('HDEL', SALE, 'h:' .. cart_id)
  return cart_reply(nil)
end
if not cart then return cart_reply(nil) end
without_lost_seats(POOLS, cart_id, cart)
local kept, dropped = {}, {}
for _, line in ipairs(cart.lines) do
  local list = line.sku == sku and dropped or kept
  list[#list + 1] = line
end
local items, unknown = read_items(SALE, skus_of(dropped))
if not items then error('BROKEN cart of unknown item ' .. unknown) end

for _, line in ipairs(dropped) do
  if line.seats then
    local give_back_seats = seat_moves()
    give_back_seats(POOLS, items[sku], sku, line.seats, cart_id)
  else
    give_back(POOLS, items[sku], sku, line.serials)
  end
end
write_items(SALE, items)
cart.lines = kept
shrink_cart(SALE, CARTS, cart_id, cart)
return cart_reply(cart)
