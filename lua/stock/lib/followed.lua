-- Before acknowledge: a hold that is already as its order has it, which is what nearly every order finds. Then only its state is left to write, as long
-- as nothing else is left to do: no unit is under suspicion, no lines of a cart are to be forgotten, and the buyer's slots are used. Nothing moves by it.
-- Everything else, and whatever is malformed, is left to the script that follows. (What is equal to a record is well-formed, because records are.)
-- It stands before the pieces that the others share: those are made anew at each call, and would be most of its time.
if #KEYS == 4 and #ARGV >= 9 and #ARGV % 2 == 1 and (ARGV[7] == 'live' or ARGV[7] == 'confirmed') then
  local hold_id, buyer_id, slots = ARGV[1], ARGV[2], ARGV[6]
  local lines = ARGV[8] .. '=' .. ARGV[9]
  for at = 10, #ARGV, 2 do
    lines = lines .. ';' .. ARGV[at] .. '=' .. ARGV[at + 1]
  end
  local found = redis.call('HMGET', KEYS[1], 's', 'h:' .. hold_id, 'b:' .. buyer_id, 'w:' .. hold_id)
  local record = '|' .. ARGV[4] .. '|' .. ARGV[5] .. '|' .. ARGV[3] .. '|' .. buyer_id .. '|' .. slots .. '|' .. lines
  if found[1] and found[2] and not found[4] and string.sub(found[2], 2) == record then
    local state, mask = string.sub(found[2], 1, 1), found[3] or 0
    local is_live = state == 'H' or state == 'A' or state == 'C'
    local uses_slots = mask == slots or bit.band(tonumber(mask), tonumber(slots)) == tonumber(slots)
    if is_live and uses_slots and redis.call('EXISTS', KEYS[3]) == 0 then
      local following = (state == 'C' or ARGV[7] == 'confirmed') and 'C' or 'A'
      if following ~= state then redis.call('HSET', KEYS[1], 'h:' .. hold_id, following .. record) end
      return 'ACKNOWLEDGED'
    end
  end
end
