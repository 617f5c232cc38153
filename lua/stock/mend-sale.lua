-- Put a sale's own fields right where they differ from the copy of the very version that they claim to be. (A newer copy is brought by update.)
-- KEYS[1] sale (hash)
-- After the fence: ARGV[1] version   ARGV[2] open|paused|closed|cancelled   ARGV[3] opensAtMs   ARGV[4] closesAtMs   ARGV[5] limit (0: none)
-- ARGV[6] holdMs   then per counted item: sku, total
-- -> MENDED | CHANGED | NOT_LOADED | STALE_EPOCH     CHANGED: it is of another version, which this copy says nothing about
-- Totals only grow, and no next serial or free unit changes, as in update.
local argc = #ARGV
if #KEYS ~= 1 or argc < 6 or argc > 6 + 2 * 50 or argc % 2 == 1 then return bad_call('mend-sale arity') end
local SALE, version, control = KEYS[1], whole(ARGV[1], 1, SERIAL_MAX), ARGV[2]
local opens_at, closes_at = whole(ARGV[3], 0, TIME_MS_MAX), whole(ARGV[4], 0, TIME_MS_MAX)
local limit, hold_ms = whole(ARGV[5], 0, UNITS_PER_HOLD_MAX), whole(ARGV[6], 1, 3600000)
if not (version and opens_at and closes_at and limit and hold_ms) then return bad_call('mend-sale number') end
if control ~= 'open' and control ~= 'paused' and control ~= 'closed' and control ~= 'cancelled' then return bad_call('mend-sale control') end
local skus, totals = {}, {}
for at = 7, argc, 2 do
  local total = whole(ARGV[at + 1], 1, SERIAL_MAX)
  if not is_sku(ARGV[at]) or not total or totals[ARGV[at]] then return bad_call('mend-sale item') end
  totals[ARGV[at]] = total
  skus[#skus + 1] = ARGV[at]
end
local _, _, _, _, _, born_floor, known_version, epoch = string.match(redis.call('HGET', SALE, 's'), SALE_RECORD)
if tonumber(known_version) ~= version then return { 'CHANGED' } end
local items, unknown = read_items(SALE, skus)
if not items then return bad_call('mend-sale item ' .. unknown) end

for sku, item in pairs(items) do
  if not item.is_seated then item.total = math.max(item.total, totals[sku]) end
end
write_items(SALE, items)
redis.call('HSET', SALE, 's', table.concat({ control, ARGV[3], ARGV[4], limit, hold_ms, born_floor, version, epoch }, '|'))
return { 'MENDED' }
