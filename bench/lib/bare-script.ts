import { createHash } from 'node:crypto';

/**
 * Check and increment, and nothing else: the shortest script that can't oversell. It names no units, knows no buyer and no key, and nothing expires.
 * KEYS[1] total   KEYS[2] sold   ARGV[1] quantity   -> 1 sold, 0 not enough
 */
export const bareScript = `
local sold = redis.call('GET', KEYS[2]) or 0
if redis.call('GET', KEYS[1]) - sold < tonumber(ARGV[1]) then return 0 end
redis.call('INCRBY', KEYS[2], ARGV[1])
return 1`;

export const emptyScript = 'return 1';

export const digestOf = (script: string): string => createHash('sha1').update(script).digest('hex');
