-- Giving units back and taking named ones, with the item's counter right.

-- Back for sale. A unit under suspicion is cleared by it: who had it has given it up.
local function give_back(pools, item, sku, serials)
  each_run(serials, function(first, last)
    take_out(pools.suspects, sku, first, last)
    item.free = item.free + put_in(pools.free, sku, first, last)
    note_moved(item, first, last)
  end)
end

-- These very units, wherever they are. Serials that this skips were given out by a Redis that forgot it, more likely than not:
-- they become suspects, and whoever reads their rows returns those that nobody owns.
local function adopt(pools, item, sku, serials)
  each_run(serials, function(first, last)
    if first > item.next_serial then put_in(pools.suspects, sku, item.next_serial, first - 1) end
    item.free = item.free - take_out(pools.free, sku, first, last)
    take_out(pools.suspects, sku, first, last)
    item.next_serial = math.max(item.next_serial, last + 1)
    note_moved(item, first, last)
  end)
end

-- What a hold has is nobody's to buy. It may be for sale all the same: another that had it too (a forgotten order, another shard) has given it back.
-- So it is taken out of sale before the hold is given more, which gets no unit twice that way. -> how many units that were
local function keep_own(pools, item, sku, serials)
  local kept = 0
  each_run(serials, function(first, last) kept = kept + take_out(pools.free, sku, first, last) end)
  item.free = item.free - kept
  return kept
end

-- All units and slots of a hold go back. The hold's own record is left to the caller.
local function give_all_back(sale_key, pools, items, hold_id, hold)
  for _, line in ipairs(hold.lines) do
    if line.seats then
      local give_back_seats = seat_moves()
      give_back_seats(pools, items[line.sku], line.sku, line.seats, hold_id)
    else
      give_back(pools, items[line.sku], line.sku, line.serials)
    end
  end
  write_items(sale_key, items)
  change_slots(sale_key, hold.buyer_id, hold.slots, 0)
end
