-- Units on their way between the shards of a sale (see docs/shards.md).

local SHARDS_MAX = 64
local LENT_UNITS_MAX = 1000
local LENT_RUNS_MAX = 100

-- Of a field `t:<to>`: the number of the last run, and while that is on its way its item and units. '0' where there has been none.
local function read_transit(text)
  if not text then return '0' end
  local seq, sku, units = string.match(text, '^(%d+)|([^|]*)|?(.*)$')
  if not seq then error('BROKEN transit') end
  if sku == '' then return seq end
  return seq, sku, units
end
