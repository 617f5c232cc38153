-- Units of one item as text, '1-3,7' (ascending), and as an ascending list of serials.

-- nil when the text is malformed, not ascending, or names more than units_max.
local function expand(text, units_max)
  local serials, last = {}, 0
  for part in string.gmatch(text, '[^,]+') do
    local from, to = string.match(part, '^(%d+)%-(%d+)$')
    if not from then
      from = string.match(part, '^%d+$')
      to = from
    end
    from, to = tonumber(from), tonumber(to)
    if not from or from <= last or to < from or to > SERIAL_MAX or #serials + to - from + 1 > units_max then return nil end
    for serial = from, to do
      serials[#serials + 1] = serial
    end
    last = to
  end
  return serials
end

-- Calls visit(first, last) for each run of neighbours in an ascending list.
local function each_run(serials, visit)
  local first = serials[1]
  for index = 1, #serials do
    if serials[index + 1] ~= serials[index] + 1 then
      visit(first, serials[index])
      first = serials[index + 1]
    end
  end
end

local function compact(serials)
  local parts = {}
  each_run(serials, function(first, last)
    parts[#parts + 1] = first == last and tostring(first) or (first .. '-' .. last)
  end)
  return table.concat(parts, ',')
end

local function set_of(serials)
  local set = {}
  for _, serial in ipairs(serials) do
    set[serial] = true
  end
  return set
end

-- The serials of a list that are (wanted = true) or are not (false) in a set.
local function pick(serials, set, wanted)
  local picked = {}
  for _, serial in ipairs(serials) do
    if (set[serial] == true) == wanted then picked[#picked + 1] = serial end
  end
  return picked
end
