-- Before reserve: the plainest hold, which is what nearly every new one is in a sale of one shard. One unit of a counted item, out of those that nobody
-- has had yet, for a buyer who has nothing of the sale. Everything else, and whatever is malformed, is left to the script that follows, with the fields that were read here.
-- It says nothing of its own: what it writes and answers is what the script would. (It stands before the pieces that are seldom needed, since those
-- are made anew at each call, and writes few texts: both cost as much as a command. `npm run instructions` counts it.)
local found, hold_field, buyer_field
if #KEYS == 4 and #ARGV == 5 and ARGV[5] == '1' then
  local SALE, hold_id, buyer_id, payload_hash, sku = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
  local item_field, call, match = 'i:' .. sku, redis.call, string.match
  hold_field, buyer_field = 'h:' .. hold_id, 'b:' .. buyer_id
  found = call('HMGET', SALE, 's', hold_field, buyer_field, 'behind', item_field)
  local total, serial
  if found[1] and not found[2] and not found[3] and found[5] then total, serial = match(found[5], '^c|(%d+)|(%d+)|0$') end
  -- Of numbers as texts, without zeros before them, the longer is the greater, and of two as long the one that comes later in the order of texts.
  if total and (#serial < #total or #serial == #total and serial <= total) then
    local opens_at, closes_at, limit, hold_ms, born_floor = match(found[1], '^open|(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|%d+|%d+$')
    local time = call('TIME')
    local micros = #time[2] == 6 and time[2] or string.sub('00000' .. time[2], -6)
    local now_ms, born = time[1] .. string.sub(micros, 1, 3), time[1] .. micros
    local is_open = opens_at and #now_ms == #opens_at and now_ms >= opens_at and #now_ms == #closes_at and now_ms < closes_at
    local is_born_last = is_open and (#born > #born_floor or #born == #born_floor and born > born_floor)
    local are_ids = hold_id ~= '' and buyer_id ~= '' and payload_hash ~= '' and #hold_id <= 128 and #buyer_id <= 128 and #payload_hash <= 128
      and not string.find(hold_id .. buyer_id .. payload_hash, '|', 1, true)
    if is_born_last and are_ids then
      local expires = string.format('%.0f', now_ms + hold_ms)
      local given = (limit == '0' and '|0|' or '|1|') .. sku .. '=' .. serial
      local record = 'H|' .. born .. '|' .. expires .. '|' .. payload_hash .. '|' .. buyer_id .. given
      local item = 'c|' .. total .. '|' .. serial + 1 .. '|0'
      if limit == '0' then
        call('HSET', SALE, hold_field, record, item_field, item)
      else
        call('HSET', SALE, hold_field, record, item_field, item, buyer_field, '1')
      end
      call('RPUSH', KEYS[3], hold_id .. '|' .. expires .. '|' .. born)
      return 'RESERVED|' .. born .. '|' .. expires .. given .. '|'
    end
  end
end
