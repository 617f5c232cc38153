-- The records of a sale. Everything hot stands in one hash, so that a reserve of counted units is one HMGET and one HSET.
--   s            control|opensAtMs|closesAtMs|limit|holdMs|bornFloorUs|version|epoch        limit 0: none
--                control open|paused|closed|cancelled; cancelled is closed, and its holds without an order become none any more
--                A load writes this field last: the sale is loaded when it is there, and not before.
--   items        every sku, ';' between
--   behind       there once DynamoDB knew of an order that Redis had forgotten: before a refusal the caller's order is looked for
--   closed       milliseconds at which the sale, called off, was first seen closed (see closed-since.lua)
--   v            the newest version of the sale that somebody brought while it was not loaded: a load of an older one is refused
--   l            epoch of the load that is under way
--   i:<sku>      kind|total|next|free
--                kind c: counted units 1..total; next: the lowest serial never given out; free: units in the free pool
--                kind s: seats; total: those that Redis knows; next: always total + 1; free: seats that are free now
--                then |#token while a reconciliation counts, until something of the item moves (see mend-count.lua)
--   b:<buyerId>  the buyer's used allowance slots as a bit mask; slot 1 is the lowest bit
--   h:<holdId>   state|bornUs|expiresAtMs|payloadHash|buyerId|slots|sku=1-3,7;sku:A-1,B-2     '=' before serials, ':' before seats
--                state H: held; A: an order has it; C: that order is confirmed; E: ended, units gone, kept so that a retry finds its order
--                K: no hold but a buyer's cart (see carts.lua); one without lines marks that it has expired
--   w:<holdId>   the lines that a cart had when it became this hold; there until an order has the hold, or nobody
--   y:<sku>      token|,1,2,7,   serials, each between commas, and
--   z:<buyerId>  token|slots   slots, that a reconciliation watches for some moments (see mend-watch.lua)
--   t:<to>       seq|sku|1-3,7   units on their way to another shard of the sale; seq|   the last of those that have come there
--   g:<from>     seq   the last of those that came from another shard (see lib/transit.lua; only in a sale of several shards)
-- The seats stand in a hash of their own, field <sku|seat>: '' free; <holdId> that hold has it; '?' under suspicion; '-' retired.
-- Pools hold ranges of serials 'sku|0000017-0000020'; the pool of suspects holds seats too, 'sku|:A-1'.
-- No separator occurs in an id, a sku or a seat: they are checked at the door. No prefixed field meets an internal one.
-- bornFloorUs: births given under it were withdrawn by a tombstone; a clock that steps back at a failover must not repeat them.

local SERIAL_MAX = 9999999
local UNITS_PER_HOLD_MAX = 20
local SLOTS_MASK_MAX = 2 ^ 20 - 1
local TIME_MS_MAX = 9999999999999
local TIME_US_MAX = 2 ^ 53
local SALE_RECORD = '^(%a+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)$'
local ITEM_RECORD = '^c|(%d+)|(%d+)|(%d+)|?#?[%w%-]*$'
local COUNTED = string.byte('c')
local SEATED_RECORD = '^s|(%d+)|(%d+)|(%d+)|?#?[%w%-]*$'
local HOLD_RECORD = '^(%a)|(%d+)|(%d+)|([^|]*)|([^|]*)|(%d+)|(.*)$'

local function bad_call(what)
  return redis.error_reply('BAD_CALL stock.' .. what)
end

-- Of holds, buyers and payloads: whatever can't break a record. (The plain search costs a reserve less than a pattern would.)
local function is_id(text)
  return text ~= '' and #text <= 128 and not string.find(text, '|', 1, true)
end

local function is_sku(text)
  return string.find(text, '^[%w._-]+$') ~= nil
end

-- Digits only: tonumber alone takes '0x10', ' 7' and '1e3'.
local function whole(text, min, max)
  if not string.find(text, '^%d+$') then return nil end
  local number = tonumber(text)
  if number < min or number > max then return nil end
  return number
end
