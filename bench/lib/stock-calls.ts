import type { RedisClient } from '../../functions/shared/redis.ts';
import { soldOutGlance } from '../../functions/stock/glance.ts';
import type { StockLine } from '../../functions/stock/stock.model.ts';
import { type Stock, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { encode } from './resp.ts';

// Calls of the stock's scripts as the wrappers of functions/stock send them, for a client that does without the wrappers.

type Words = readonly (string | number)[];

/** The words of the EVALSHA that this call of the wrapper sends: digest, number of keys, keys, arguments. */
export async function wordsOf(call: (stock: Stock) => Promise<unknown>): Promise<Words> {
  const sent: Words[] = [];
  const listener = {
    isCluster: false,
    evalsha: async (...words: Words) => {
      sent.push(words);
      return ['NOT_LOADED'];
    },
  };
  await call(stockScripts(listener as unknown as RedisClient));
  const [words] = sent;
  if (sent.length !== 1 || words === undefined) throw new Error(`the wrapper sent ${sent.length} calls, not one`);
  return words;
}

export interface ReservePlan {
  readonly saleId: string;
  readonly lines: readonly StockLine[];
}

/** What stands in the template for what differs from call to call. */
const holdMark = 'the-hold';
const buyerMark = 'the-buyer';
/** As long as the real one: 96 bits in base64url. */
export const payloadHash = 'cGF5bG9hZC1oYXNo';

/** As long as a real hold's id (128 bits in base64url), and different for each number below 10^9. */
export const holdIdOf = (number: number): string => `hold-${String(number).padStart(17, '0')}`;
export const buyerIdOf = (number: number): string => `buyer-${String(number).padStart(9, '0')}`;

type EncodeByHold = (hold: number, buyer: number) => string;

/** Encodes reserves of these lines by hold and buyer, each byte as the wrapper would send it. */
export async function reserveEncoder({ saleId, lines }: ReservePlan): Promise<EncodeByHold> {
  const words = await wordsOf((stock) => stock.reserve({ saleId, holdId: holdMark, buyerId: buyerMark, payloadHash, lines }));
  return encoderOf(['EVALSHA', ...words]);
}

/** Encodes the reads by which the same requests are refused while the item is known to be sold out. */
export async function glanceEncoder({ saleId, lines }: ReservePlan): Promise<EncodeByHold> {
  const sent: Words[] = [];
  const listener = {
    isCluster: false,
    hmget: async (...words: Words) => {
      sent.push(words);
      return [];
    },
  };
  const glance = soldOutGlance(listener as unknown as RedisClient, () => 0);
  const asked = { saleId, holdId: holdMark, buyerId: buyerMark, lines };
  glance.note(asked, '');
  await glance.look(asked);
  const [words] = sent;
  if (words === undefined) throw new Error('nothing was sent at a glance');
  return encoderOf(['HMGET', ...words], { hold: 'h:', buyer: 'b:' });
}

/** `prefixes`: what stands before the two in their words. */
function encoderOf(words: Words, prefixes = { hold: '', buyer: '' }): EncodeByHold {
  const [before, between, after] = piecesOf(encode(words), [`${prefixes.hold}${holdMark}`, `${prefixes.buyer}${buyerMark}`]);
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  return (hold, buyer) =>
    `${before}${bulk(`${prefixes.hold}${holdIdOf(hold)}`)}${between}${bulk(`${prefixes.buyer}${buyerIdOf(buyer)}`)}${after}`;
}

/** What is around these bulk strings. */
function piecesOf(encoded: string, marks: readonly string[]): string[] {
  const pieces = [];
  let rest = encoded;
  for (const mark of marks) {
    const bulk = `$${mark.length}\r\n${mark}\r\n`;
    const at = rest.indexOf(bulk);
    if (at === -1) throw new Error(`the call does not name ${mark}`);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + bulk.length);
  }
  return [...pieces, rest];
}
