-- Before a repair: what was seen of a load says nothing about a later one. Takes the epoch, ARGV[1], off the arguments; the script that follows
-- counts its own from 1. FENCED_KEYS stands before this (see mend.definitions.ts): with a key too few, another would stand in the place of the sale.
-- -> NOT_LOADED | STALE_EPOCH     the latter: the sale was loaded anew since it was looked at
local SEEN_EPOCH = whole(ARGV[1] or '', 1, SERIAL_MAX)
if #KEYS ~= FENCED_KEYS then return bad_call('fence arity') end
if not SEEN_EPOCH then return bad_call('fence epoch') end
local FENCED = redis.call('HGET', KEYS[1], 's')
if not FENCED then return { 'NOT_LOADED' } end
if tonumber((select(8, string.match(FENCED, SALE_RECORD)))) ~= SEEN_EPOCH then return { 'STALE_EPOCH' } end
local ARGV = { unpack(ARGV, 2) }
