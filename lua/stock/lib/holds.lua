-- Holds and items as tables. A corrupt record is a broken invariant: it raises, before anything was written.

local function read_hold(record)
  local state, born_us, expires_at_ms, payload_hash, buyer_id, slots, lines = string.match(record, HOLD_RECORD)
  if not state then error('BROKEN hold record') end
  local hold = {
    state = state, born_us = born_us, expires_at_ms = expires_at_ms, payload_hash = payload_hash, buyer_id = buyer_id,
    slots = tonumber(slots), lines = {},
  }
  for sku, text in string.gmatch(lines, '([^=;]+)=([^;]*)') do
    local serials = expand(text, UNITS_PER_HOLD_MAX)
    if not serials then error('BROKEN hold units') end
    hold.lines[#hold.lines + 1] = { sku = sku, serials = serials }
  end
  return hold
end

local function lines_text(lines)
  local parts = {}
  for index, line in ipairs(lines) do
    parts[index] = line.sku .. '=' .. compact(line.serials)
  end
  return table.concat(parts, ';')
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
  if not total then error('BROKEN item record') end
  return { total = tonumber(total), next_serial = tonumber(next_serial), free = tonumber(free) }
end

local function item_text(item)
  return 'c|' .. item.total .. '|' .. item.next_serial .. '|' .. item.free
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

local function write_items(sale_key, items)
  for sku, item in pairs(items) do
    redis.call('HSET', sale_key, 'i:' .. sku, item_text(item))
  end
end

-- Takes slots out of the buyer's mask and puts others in. A buyer who uses none has no field.
local function change_slots(sale_key, buyer_id, taken_out, put_in)
  local field = 'b:' .. buyer_id
  local mask = tonumber(redis.call('HGET', sale_key, field) or 0)
  local changed = bit.bor(bit.band(mask, bit.bnot(taken_out)), put_in)
  if changed == mask then return end
  if changed == 0 then
    redis.call('HDEL', sale_key, field)
  else
    redis.call('HSET', sale_key, field, changed)
  end
end

-- Later births are above this one, whatever the clock does.
local function raise_born_floor(sale_key, record, born_us)
  local before, floor, after = string.match(record, '^(%a+|%d+|%d+|%d+|%d+|)(%d+)(|.*)$')
  if tonumber(floor) < tonumber(born_us) then redis.call('HSET', sale_key, 's', before .. born_us .. after) end
end
