-- Publish a load: from here on the sale sells.
-- KEYS[1] sale (hash)   KEYS[2] chunks (set)
-- ARGV[1] epoch   ARGV[2] version   ARGV[3] open|paused|closed|cancelled   ARGV[4] opensAtMs   ARGV[5] closesAtMs   ARGV[6] limit (0: none)
-- ARGV[7] holdMs   ARGV[8] chunks: how many were sent   ARGV[9] behind (1: before a refusal, the caller's order is looked for)
--   then per item, each item once: sku, counted|seated, total, next, free     (of a seated item next and free are 0: they were counted here)
-- -> LOADED | ALREADY_LOADED | STALE_EPOCH | INCOMPLETE | STALE_VERSION
-- INCOMPLETE: chunks or seats are missing. STALE_VERSION: somebody has brought a newer copy of the sale; load again what is new and publish again.
local argc = #ARGV
if #KEYS ~= 2 or argc < 14 or argc > 9 + 5 * 50 or (argc - 9) % 5 ~= 0 then return bad_call('load-publish arity') end
local SALE, CHUNKS = KEYS[1], KEYS[2]
local epoch, version, control = whole(ARGV[1], 1, SERIAL_MAX), whole(ARGV[2], 1, SERIAL_MAX), ARGV[3]
local opens_at, closes_at = whole(ARGV[4], 0, TIME_MS_MAX), whole(ARGV[5], 0, TIME_MS_MAX)
local limit, hold_ms = whole(ARGV[6], 0, UNITS_PER_HOLD_MAX), whole(ARGV[7], 1, 3600000)
local chunks, behind = whole(ARGV[8], 0, CHUNKS_MAX), whole(ARGV[9], 0, 1)
if not (epoch and version) then return bad_call('load-publish version') end
if control ~= 'open' and control ~= 'paused' and control ~= 'closed' and control ~= 'cancelled' then
  return bad_call('load-publish control')
end
if not (opens_at and closes_at) then return bad_call('load-publish window') end
if not (limit and hold_ms) then return bad_call('load-publish limit') end
if not (chunks and behind) then return bad_call('load-publish chunks') end
local items, listed, seen = {}, {}, {}
for at = 10, argc, 5 do
  local sku, kind, total = ARGV[at], ARGV[at + 1], whole(ARGV[at + 2], 1, SERIAL_MAX)
  local next_serial, free = whole(ARGV[at + 3], 0, SERIAL_MAX + 1), whole(ARGV[at + 4], 0, SERIAL_MAX)
  local is_counted = kind == 'counted' and next_serial and next_serial >= 1 and free and free < next_serial
  local is_seated = kind == 'seated' and next_serial == 0 and free == 0
  if not is_sku(sku) or seen[sku] or not total or not (is_counted or is_seated) then return bad_call('load-publish item') end
  seen[sku] = true
  listed[#listed + 1] = sku
  items[#items + 1] = { sku = sku, total = total, next_serial = next_serial, free = free, is_seated = is_seated }
end

local found = redis.call('HMGET', SALE, 's', 'l', 'v')
if found[1] then return { 'ALREADY_LOADED' } end
if not found[2] or tonumber(found[2]) ~= epoch then return { 'STALE_EPOCH' } end
if redis.call('SCARD', CHUNKS) ~= chunks then return { 'INCOMPLETE' } end
if found[3] and tonumber(found[3]) > version then return { 'STALE_VERSION' } end
local record = { 'HSET', SALE }
for _, item in ipairs(items) do
  local text = 'c|' .. item.total .. '|' .. item.next_serial .. '|' .. item.free
  if item.is_seated then
    local total, free = seats_counted(SALE, item.sku)
    if total ~= item.total then return { 'INCOMPLETE' } end
    text = 's|' .. total .. '|' .. total + 1 .. '|' .. free
  end
  record[#record + 1] = 'i:' .. item.sku
  record[#record + 1] = text
end

record[#record + 1] = 'items'
record[#record + 1] = table.concat(listed, ';')
if behind == 1 then
  record[#record + 1] = 'behind'
  record[#record + 1] = 1
end
record[#record + 1] = 's'
record[#record + 1] = table.concat({ control, ARGV[4], ARGV[5], limit, hold_ms, 0, version, epoch }, '|')
redis.call(unpack(record))
redis.call('HDEL', SALE, 'l', 'v')
redis.call('UNLINK', CHUNKS)
return { 'LOADED' }
