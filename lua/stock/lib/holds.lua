-- Holds and items as tables. A corrupt record is a broken invariant: it raises, before anything was written.

local function read_hold(record)
  local state, born_us, expires_at_ms, payload_hash, buyer_id, slots, lines = string.match(record, HOLD_RECORD)
  if not state then error('BROKEN hold record') end
  local hold = {
    state = state, born_us = born_us, expires_at_ms = expires_at_ms, payload_hash = payload_hash, buyer_id = buyer_id,
    slots = tonumber(slots), lines = {},
  }
  for sku, mark, text in string.gmatch(lines, '([^=:;]+)([=:])([^;]*)') do
    local line = { sku = sku }
    if mark == '=' then
      line.serials = expand(text, UNITS_PER_HOLD_MAX)
    else
      line.seats = text == '' and {} or read_seats(text, UNITS_PER_HOLD_MAX)
    end
    if not (line.serials or line.seats) then error('BROKEN hold units') end
    hold.lines[#hold.lines + 1] = line
  end
  return hold
end

local function lines_text(lines)
  local parts = {}
  for index, line in ipairs(lines) do
    parts[index] = line.seats and line.sku .. ':' .. table.concat(line.seats, ',') or line.sku .. '=' .. compact(line.serials)
  end
  return table.concat(parts, ';')
end

-- How many units lines name together.
local function count_units(lines)
  local units = 0
  for _, line in ipairs(lines) do
    units = units + #(line.seats or line.serials)
  end
  return units
end

local function skus_of(lines)
  local skus = {}
  for index, line in ipairs(lines) do
    skus[index] = line.sku
  end
  return skus
end

-- A line as an argument has it: '1-3,7' or '@A-1,B-2'; nil when it is malformed or names no unit or more than units_max.
local function read_line(sku, text, units_max)
  local line = { sku = sku }
  if string.sub(text, 1, 1) == '@' then
    line.seats = named_seats(text, units_max)
  else
    line.serials = expand(text, units_max)
  end
  local units = line.seats or line.serials
  return is_sku(sku) and units and #units > 0 and line or nil
end

local function hold_text(hold)
  return table.concat({
    hold.state, hold.born_us, hold.expires_at_ms, hold.payload_hash, hold.buyer_id, hold.slots, lines_text(hold.lines),
  }, '|')
end

-- What is left of an ended hold: enough to know that a retry of it has an order to look up.
local function ended_text(hold)
  return table.concat({ 'E', hold.born_us, hold.expires_at_ms, hold.payload_hash, hold.buyer_id, 0, '' }, '|')
end

local function read_item(record)
  local total, next_serial, free = string.match(record, ITEM_RECORD)
  local is_seated = not total
  if is_seated then total, next_serial, free = string.match(record, SEATED_RECORD) end
  if not total then error('BROKEN item record') end
  return { is_seated = is_seated, total = tonumber(total), next_serial = tonumber(next_serial), free = tonumber(free) }
end

-- A counter that is too small says that nothing is free, at the least: below that, nobody could read the item any more, nor put it right.
local function item_text(item)
  return (item.is_seated and 's|' or 'c|') .. item.total .. '|' .. item.next_serial .. '|' .. math.max(0, item.free)
end

-- At the end of the record of an item that is being counted (see mend-count.lua).
local function count_mark(token)
  return '|#' .. token
end

local function is_count_token(text)
  return #text <= 64 and string.find(text, '^[%w%-]+$') ~= nil
end

-- Never below nothing: adopted units may lie beyond a total that Redis has not heard of yet.
local function available_of(item)
  return item.free + math.max(0, item.total - item.next_serial + 1)
end

-- The items of these skus by sku, or nil and the sku that the sale does not have.
local function read_items(sale_key, skus)
  local items = {}
  for _, sku in ipairs(skus) do
    if not items[sku] then
      local record = redis.call('HGET', sale_key, 'i:' .. sku)
      if not record then return nil, sku end
      items[sku] = read_item(record)
    end
  end
  return items
end

-- The first of these lines that names serials of a seated item or seats of a counted one, or nil.
local function line_of_wrong_kind(lines, items)
  for _, line in ipairs(lines) do
    if items[line.sku].is_seated ~= (line.seats ~= nil) then return line end
  end
  return nil
end

-- Takes serials that move off the watch of a reconciliation (see mend-watch.lua): what is still on it has not moved since it began.
-- Looked for in the text as it is: taking that apart would hold up Redis for milliseconds at each return while some thousand serials are watched.
local WATCHED_MAX = 5000
local function unwatch(sale_key, sku, serials)
  local watched = redis.call('HGET', sale_key, 'y:' .. sku)
  if not watched then return end
  local left = watched
  for _, serial in ipairs(serials) do
    local from, to = string.find(left, ',' .. serial .. ',', 1, true)
    if from then left = string.sub(left, 1, from) .. string.sub(left, to + 1) end
  end
  if left ~= watched then redis.call('HSET', sale_key, 'y:' .. sku, left) end
end

-- What was moved by give_back, adopt and the like is in `moved`.
local function write_items(sale_key, items)
  for sku, item in pairs(items) do
    redis.call('HSET', sale_key, 'i:' .. sku, item_text(item))
    if item.moved then unwatch(sale_key, sku, item.moved) end
  end
end

local function note_moved(item, first, last)
  item.moved = item.moved or {}
  for serial = first, last do
    item.moved[#item.moved + 1] = serial
  end
end

-- Takes slots out of the buyer's mask and puts others in. A buyer who uses none has no field. Ends the watch of the buyer's slots.
local function change_slots(sale_key, buyer_id, taken_out, put_in)
  local field = 'b:' .. buyer_id
  local mask = tonumber(redis.call('HGET', sale_key, field) or 0)
  local changed = bit.bor(bit.band(mask, bit.bnot(taken_out)), put_in)
  if changed == mask then return end
  if changed == 0 then
    redis.call('HDEL', sale_key, field, 'z:' .. buyer_id)
  else
    redis.call('HSET', sale_key, field, changed)
    redis.call('HDEL', sale_key, 'z:' .. buyer_id)
  end
end

-- Ends the watch of what a hold has, for whoever hands it on to another hold without giving it back in between.
local function unwatch_hold(sale_key, hold)
  redis.call('HDEL', sale_key, 'z:' .. hold.buyer_id)
  for _, line in ipairs(hold.lines) do
    if line.serials then unwatch(sale_key, line.sku, line.serials) end
  end
end

-- Later births are above this one, whatever the clock does.
local function raise_born_floor(sale_key, record, born_us)
  local before, floor, after = string.match(record, '^(%a+|%d+|%d+|%d+|%d+|)(%d+)(|.*)$')
  if tonumber(floor) < tonumber(born_us) then redis.call('HSET', sale_key, 's', before .. born_us .. after) end
end
