import type { RedisClient } from '../shared/redis.ts';
import { fieldsOf } from './fields.ts';
import { stockKeys } from './stock.keys.ts';
import type { StockLine } from './stock.model.ts';
import { limitOf, parseItem, termsOf } from './stock.records.ts';

/** A request as `reserve` has it. */
interface Asked {
  readonly saleId: string;
  readonly holdId: string;
  readonly buyerId: string;
  readonly lines: readonly StockLine[];
}

/** The refusal in the words of the script. */
interface SoldOut {
  readonly outcome: 'SOLD_OUT';
  readonly sku: string;
  readonly available: number;
  readonly behind: boolean;
}

interface Glance {
  /** Nothing where only the script can tell. */
  readonly refused?: SoldOut;
  /** The sale's terms as they were. */
  readonly terms?: string | undefined;
}

/** The script's last refusal of an item. */
interface Refusal {
  /** Where the sale's record is. */
  readonly key: string;
  readonly atMs: number;
  /** The sale's as they were before it. */
  readonly terms: string | undefined;
  /** What a look has refused since: a crowd reads the same two records again and again, and whoever asks for as much meets the same answer. */
  last?: { readonly sale: string; readonly item: string; readonly quantity: number; readonly glance: Glance };
}

const cannotTell: Glance = {};

/**
 * So long the script's word is good for the clock, which a glance does not see: a sale may be said to be sold out by so much after its end. By the wall
 * clock: a container that waits for its next request may be frozen, and other clocks with it.
 */
const withinMs = 1_000;
const itemsMax = 1_000;

/**
 * Refuses the crowd at the door of a sold-out item by one read, which costs Redis a sixth of the script (`npm run bench`). The script stays the authority: an item is glanced at only
 * for a moment after the script has refused it, and only while the sale's terms are to the letter what they were before that: so control, window and limit are
 * what the script went by. All else that the script would look at is read at one moment: a replay, a buyer who has something already, units that came
 * back, a Redis that has been caught behind are the script's to answer.
 */
export function soldOutGlance(redis: RedisClient, nowMs: () => number = Date.now) {
  /** By stock and item. */
  const refusals = new Map<string, Refusal>();
  const keyOf = ({ saleId }: Asked, { sku }: StockLine) => `${saleId} ${sku}`;

  return {
    /** Throws what scripts throw where it is not answered. */
    async look(asked: Asked): Promise<Glance> {
      const line = onlyLine(asked);
      const refusal = line && refusals.get(keyOf(asked, line));
      if (!refusal) return cannotTell;
      const ageMs = nowMs() - refusal.atMs;
      const isOld = ageMs < 0 || ageMs >= withinMs;
      // The script is asked again now. Its answer is good for the next ones with the terms as they are before it.
      if (isOld) refusals.delete(keyOf(asked, line));
      const { sku, quantity } = line;
      const fields = ['s', `i:${sku}`, `h:${asked.holdId}`, `b:${asked.buyerId}`, 'behind'];
      const [sale, item, hold, slots, behind] = await fieldsOf(redis, refusal.key, fields);
      if (!sale || !item) return cannotTell;
      const isForScript = isOld || hold !== null || slots !== null || behind !== null;
      const { last } = refusal;
      if (!isForScript && last?.sale === sale && last.item === item && last.quantity === quantity) return last.glance;
      const terms = termsOf(sale);
      if (terms !== refusal.terms || isForScript) return { terms };
      const { seated, total, next, free } = parseItem(sku, item);
      const limit = limitOf(sale);
      const available = Math.max(0, total - next + 1) + free;
      const isRefused = !seated && available < quantity && (limit === 0 || quantity <= limit);
      if (!isRefused) return { terms };
      const glance: Glance = { refused: { outcome: 'SOLD_OUT', sku, available, behind: false }, terms };
      refusal.last = { sale, item, quantity, glance };
      return glance;
    },

    /** The script has refused these lines for want of units. `terms`: what a look before that had seen of the sale, if there was one. */
    note(asked: Asked, terms: Glance['terms']): void {
      const line = onlyLine(asked);
      if (!line) return;
      const key = keyOf(asked, line);
      if (refusals.size >= itemsMax && !refusals.has(key)) refusals.clear();
      refusals.set(key, { key: stockKeys(asked.saleId).sale, atMs: nowMs(), terms });
    },

    /** The script has given units out. */
    forget(asked: Asked): void {
      const line = onlyLine(asked);
      if (line) refusals.delete(keyOf(asked, line));
    },
  };
}

/** Of several lines the first that is short is named, and seats may be taken one by one: that is for the script. */
function onlyLine({ lines }: Asked): StockLine | undefined {
  const [line, ...others] = lines;
  return line?.seats || others.length > 0 ? undefined : line;
}
