import * as z from 'zod';
import holdsLib from '../../lua/stock/lib/holds.lua';
import poolLib from '../../lua/stock/lib/pool.lua';
import recordsLib from '../../lua/stock/lib/records.lua';
import returnsLib from '../../lua/stock/lib/returns.lua';
import seatMovesLib from '../../lua/stock/lib/seat-moves.lua';
import seatsLib from '../../lua/stock/lib/seats.lua';
import unitsLib from '../../lua/stock/lib/units.lua';
import { whole } from '../shared/script.ts';
import { parseLines, parseSlots } from './stock.records.ts';

// What the definitions of the stock's scripts are put together from.

export const records = [recordsLib, unitsLib, seatsLib, holdsLib];

/**
 * Shared pieces that a script seldom needs, made when it calls `name()`. Redis makes every function of a script anew at each call, needed or not:
 * for `reserve` that was a fifth of its time.
 */
export const seldom = (name: string, pieces: readonly string[], gives: readonly string[]): string =>
  [`local function ${name}()`, ...pieces, `return ${gives.join(', ')}`, 'end'].join('\n');

/** What moves units and seats, for whatever ends or changes a hold. Most orders have no seats. */
export const moves = [poolLib, seldom('seat_moves', [seatMovesLib], ['give_back_seats', 'take_seats', 'seats_with']), returnsLib];

export const slots = whole.transform(parseSlots);
export const lines = z.string().transform(parseLines);
