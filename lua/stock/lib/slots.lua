-- Allowance slots are bits: slot 1 is the lowest. A buyer has at most 20.

local function count_slots(mask)
  local count = 0
  while mask > 0 do
    count = count + mask % 2
    mask = math.floor(mask / 2)
  end
  return count
end

-- The lowest slots that the mask leaves free. Lowest first, so that Redis and DynamoDB meet on the same rows when one of them forgot.
local function grant_slots(mask, quantity)
  local granted, slot = 0, 1
  while quantity > 0 do
    if mask % 2 == 0 then
      granted = granted + slot
      quantity = quantity - 1
    end
    mask = math.floor(mask / 2)
    slot = slot * 2
  end
  return granted
end

-- Whether a hold, as its record has it, has fewer slots than units.
local function lacks_slots(slots, lines)
  local units = 0
  for mark, text in string.gmatch(lines, '([=:])([^;]*)') do
    if mark == '=' then
      units = units + #expand(text, UNITS_PER_HOLD_MAX)
    else
      units = units + select(2, string.gsub(text, '[^,]+', ''))
    end
  end
  return count_slots(tonumber(slots)) < units
end
