-- Moving seats, with the item's counters right. The pools are those of a sale: `seats` says who has each, `suspects` lists those under suspicion.

local function suspect_seat(sku, seat)
  return sku .. '|:' .. seat
end

-- Those of the seats whose field names this owner.
local function seats_with(pools, sku, seats, owner)
  local having = {}
  for index, found in ipairs(seat_owners(pools.seats, sku, seats)) do
    if found == owner then having[#having + 1] = seats[index] end
  end
  return having
end

-- Back for sale, those that this hold still has: another order may have taken a seat from it.
local function give_back_seats(pools, item, sku, seats, hold_id)
  local having = seats_with(pools, sku, seats, hold_id)
  put_seats(pools.seats, sku, having, FREE_SEAT)
  item.free = item.free + #having
end

-- To this owner, wherever they are; a retired one stays retired. A seat that Redis does not know is there from now on.
local function take_seats(pools, item, sku, seats, owner)
  local taken = {}
  for index, was in ipairs(seat_owners(pools.seats, sku, seats)) do
    local seat = seats[index]
    if was ~= RETIRED_SEAT then taken[#taken + 1] = seat end
    if not was then
      item.total, item.next_serial = item.total + 1, item.next_serial + 1
    elseif was == FREE_SEAT then
      item.free = item.free - 1
    elseif was == SUSPECT_SEAT then
      redis.call('ZREM', pools.suspects, suspect_seat(sku, seat))
    end
  end
  put_seats(pools.seats, sku, taken, owner)
end

-- Under suspicion, those that are free or this hold's. What another hold has is settled by that one's order.
local function suspect_seats(pools, item, sku, seats, hold_id)
  local free, own = seats_with(pools, sku, seats, FREE_SEAT), seats_with(pools, sku, seats, hold_id)
  item.free = item.free - #free
  for _, moved in ipairs({ free, own }) do
    put_seats(pools.seats, sku, moved, SUSPECT_SEAT)
    for _, seat in ipairs(moved) do
      redis.call('ZADD', pools.suspects, 0, suspect_seat(sku, seat))
    end
  end
end

-- Back for sale, those that are still under suspicion. -> how many
local function clear_seats(pools, item, sku, seats)
  local cleared = seats_with(pools, sku, seats, SUSPECT_SEAT)
  put_seats(pools.seats, sku, cleared, FREE_SEAT)
  for _, seat in ipairs(cleared) do
    redis.call('ZREM', pools.suspects, suspect_seat(sku, seat))
  end
  item.free = item.free + #cleared
  return #cleared
end
