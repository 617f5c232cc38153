import fc from 'fast-check';
import { expect } from 'vitest';
import type { Hold, StockLine } from '../../functions/stock/stock.model.ts';
import { buyerAt, cartOf, lapse } from './cart.harness.ts';
import type { Bench } from './stock.harness.ts';

// Random histories of carts, direct orders and the passing of time, each step beside a model that says what must be answered.

export const limit = 6;
export const seats = ['A-1', 'A-2', 'A-3', 'B-1'];
export const items = [
  { sku: 'tee', total: 12 },
  { sku: 'hall', total: seats.length, seated: true },
  { sku: 'mug', total: 5 },
];
const buyers = ['ada', 'bob', 'eve'];
const keysPerBuyer = 2;

// More of what others need first: units in a cart, then a hold, then its order.
const verbs = [
  ...(['set', 'set', 'set', 'set-seats', 'set-seats', 'drop', 'clear', 'read', 'lapse', 'sweep'] as const),
  ...(['checkout', 'checkout', 'checkout', 'reserve', 'order', 'order', 'end', 'end', 'return'] as const),
] as const;

const step = fc.record({
  verb: fc.constantFrom(...verbs),
  buyer: fc.nat(buyers.length - 1),
  sku: fc.constantFrom('tee', 'mug'),
  quantity: fc.integer({ min: 1, max: 7 }),
  seats: fc.subarray(seats, { minLength: 1 }),
  key: fc.nat(keysPerBuyer - 1),
  pick: fc.nat(1_000),
});
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
export const history = (maxLength: number) => fc.array(step, { minLength: maxLength / 2, maxLength, size: 'max' });

/** What the buyer has by item: so many, or these seats. */
type Basket = ReadonlyMap<string, number | readonly string[]>;
const unitsIn = (basket: Basket) =>
  [...basket.values()].reduce<number>((sum, has) => sum + (typeof has === 'number' ? has : has.length), 0);

interface Cart {
  basket: Map<string, number | readonly string[]>;
  hasLapsed: boolean;
}
interface ModelHold {
  readonly buyerId: string;
  readonly basket: Basket;
  readonly hold: Hold;
  state: 'held' | 'acknowledged' | 'ended';
}

/** The rules in a few lines: what everybody has, and so what is left. */
export class Model {
  readonly carts = new Map<string, Cart>();
  readonly expired = new Set<string>();
  readonly holds = new Map<string, ModelHold>();
  readonly met = new Map<string, number>();

  note(word: string): void {
    this.met.set(word, (this.met.get(word) ?? 0) + 1);
  }

  /** Every basket that somebody has. */
  *baskets(): Generator<{ buyerId: string; basket: Basket }> {
    for (const [buyerId, { basket }] of this.carts) yield { buyerId, basket };
    for (const hold of this.holds.values()) if (hold.state !== 'ended') yield hold;
  }

  left(sku: string): number {
    const total = items.find((item) => item.sku === sku)?.total ?? 0;
    return [...this.baskets()].reduce((left, { basket }) => left - unitsIn(new Map([[sku, basket.get(sku) ?? 0]])), total);
  }

  used(buyerId: string): number {
    return [...this.baskets()].reduce((used, each) => used + (each.buyerId === buyerId ? unitsIn(each.basket) : 0), 0);
  }

  taken(wanted: readonly string[], by?: string): string[] {
    const others = [...this.baskets()].filter(({ basket }) => basket !== this.carts.get(by ?? '')?.basket);
    const names = new Set(others.flatMap(({ basket }) => (basket.get('hall') ?? []) as readonly string[]));
    return wanted.filter((seat) => names.has(seat));
  }

  /** Somebody has met the buyer's cart: if its time is up, it is over. */
  meet(buyerId: string): void {
    if (!this.carts.get(buyerId)?.hasLapsed) return;
    this.carts.delete(buyerId);
    this.expired.add(buyerId);
  }

  linesOf(buyerId: string): Basket {
    return this.carts.get(buyerId)?.basket ?? new Map();
  }
}

const basketOf = (lines: readonly { sku: string; units: readonly string[]; seated?: true }[]): Basket =>
  new Map(lines.map(({ sku, units, seated }) => [sku, seated ? units : units.length]));

/** Sets a line, and says what must be answered. */
function mustSet(model: Model, buyerId: string, line: StockLine): object {
  model.meet(buyerId);
  const has = model.linesOf(buyerId).get(line.sku) ?? 0;
  const had = typeof has === 'number' ? has : has.length;
  const more = line.quantity - had;
  const used = model.used(buyerId);
  if (more > 0 && used + more > limit) return { outcome: 'BUYER_LIMIT', limit, used };
  const taken = line.seats ? model.taken(line.seats, buyerId) : [];
  if (taken.length > 0) return { outcome: 'SEAT_TAKEN', sku: line.sku, seats: taken };
  const left = model.left(line.sku);
  if (!line.seats && more > left) return { outcome: 'SOLD_OUT', sku: line.sku, available: had + left };
  const cart = model.carts.get(buyerId) ?? { basket: new Map(), hasLapsed: false };
  cart.hasLapsed = false;
  cart.basket.set(line.sku, line.seats ?? line.quantity);
  model.carts.set(buyerId, cart);
  model.expired.delete(buyerId);
  return { outcome: 'CART', expiresAtMs: expect.any(Number), lines: expect.anything() };
}

/** Does the step in Redis and in the model, and compares the answers. */
export async function take(bench: Bench, saleId: string, model: Model, step: Step): Promise<void> {
  // What is done with a hold is done with one that is there; everything else is some buyer's.
  const isAboutHold = step.verb === 'order' || step.verb === 'end' || step.verb === 'return';
  const picked = isAboutHold ? [...model.holds.keys()][step.pick % Math.max(1, model.holds.size)] : undefined;
  const holdId = picked ?? `${buyers[step.buyer]}-${step.key}`;
  const buyerId = holdId.slice(0, 3);
  const buyer = buyerAt(bench, saleId, buyerId);
  const known = model.holds.get(holdId);
  const expectCart = (reply: { outcome: string }, word: string) => {
    model.note(word);
    if (!('lines' in reply)) throw new Error(`${word}: ${JSON.stringify(reply)}`);
    expect(basketOf(reply.lines as never), word).toEqual(new Map(model.linesOf(buyerId)));
  };

  switch (step.verb) {
    case 'set':
    case 'set-seats': {
      const isSeats = step.verb === 'set-seats';
      const line = isSeats ? { sku: 'hall', quantity: step.seats.length, seats: step.seats } : { sku: step.sku, quantity: step.quantity };
      const must = mustSet(model, buyerId, line);
      // Sent twice, as after a lost reply: the second changes nothing.
      const [reply, again] = [await buyer.set(line), await buyer.set(line)];
      expect(reply).toEqual(must);
      expect({ ...again, expiresAtMs: 0 }).toEqual({ ...reply, expiresAtMs: 0 });
      model.note(`set ${reply.outcome}`);
      if (reply.outcome === 'CART') expectCart(reply, 'set');
      return;
    }
    case 'drop': {
      model.meet(buyerId);
      const cart = model.carts.get(buyerId);
      cart?.basket.delete(step.sku);
      if (cart?.basket.size === 0) model.carts.delete(buyerId);
      return expectCart(await buyer.drop(step.sku), 'drop');
    }
    case 'clear':
      model.carts.delete(buyerId);
      model.expired.delete(buyerId);
      return expectCart(await buyer.clear(), 'clear');
    case 'read':
      model.meet(buyerId);
      return expectCart(await buyer.read(), 'read');
    case 'lapse': {
      const cart = model.carts.get(buyerId);
      if (cart) cart.hasLapsed = true;
      return lapse(bench, saleId, cartOf(buyerId));
    }
    case 'sweep': {
      const due = [...model.carts].filter(([, { hasLapsed }]) => hasLapsed).map(([name]) => name);
      for (const name of due) model.meet(name);
      model.note(`sweep ${Math.min(due.length, 2)}`);
      expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: due.length });
      return;
    }
    case 'checkout':
      return checkOut(model, buyer, holdId, known);
    case 'reserve': {
      const lines: StockLine[] = [{ sku: step.sku, quantity: step.quantity }];
      const reply = await bench.stock.reserve({ saleId, holdId, buyerId, payloadHash: 'direct', lines });
      model.note(`reserve ${reply.outcome}`);
      if (known?.state === 'ended') return expect(reply.outcome).toBe('ENDED');
      if (known) return expect(reply.outcome).toBe(known.hold.payloadHash === 'direct' ? 'RESERVED' : 'KEY_REUSED');
      const used = model.used(buyerId);
      const left = model.left(step.sku);
      if (used + step.quantity > limit) return expect(reply).toMatchObject({ outcome: 'BUYER_LIMIT', used });
      if (step.quantity > left) return expect(reply).toMatchObject({ outcome: 'SOLD_OUT', available: left });
      if (reply.outcome !== 'RESERVED') throw new Error(JSON.stringify(reply));
      model.holds.set(holdId, { buyerId, basket: basketOf(reply.hold.lines), hold: reply.hold, state: 'held' });
      return;
    }
    case 'order':
      if (known?.state !== 'held') return;
      expect(await bench.stock.acknowledge(saleId, known.hold, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
      known.state = 'acknowledged';
      model.note('order');
      return;
    case 'end': {
      if (!known || known.state === 'ended') return;
      const isOrder = known.state === 'acknowledged';
      expect((await bench.stock.release(saleId, { ...known.hold, cause: isOrder ? 'order' : 'tombstone' })).outcome).toBe('RELEASED');
      // A tombstone leaves nothing: the same key is a fresh attempt.
      if (isOrder) known.state = 'ended';
      else model.holds.delete(holdId);
      model.note(isOrder ? 'end order' : 'end hold');
      return;
    }
    case 'return':
      return giveBack(model, buyer, holdId, known);
  }
}

type Buyer = ReturnType<typeof buyerAt>;

async function checkOut(model: Model, buyer: Buyer, holdId: string, known: ModelHold | undefined): Promise<void> {
  const reply = await buyer.checkout(holdId, 'cart');
  model.note(`checkout ${reply.outcome}${'replayed' in reply && reply.replayed ? ' replayed' : ''}`);
  if (known?.state === 'ended') return expect(reply.outcome).toBe('ENDED');
  if (known?.hold.payloadHash === 'direct') return expect(reply.outcome).toBe('KEY_REUSED');
  if (known) return expect(reply).toMatchObject({ outcome: 'RESERVED', replayed: true, hold: known.hold });
  const { buyerId } = buyer;
  model.meet(buyerId);
  const cart = model.carts.get(buyerId);
  if (!cart) return expect(reply.outcome).toBe(model.expired.has(buyerId) ? 'CART_EXPIRED' : 'CART_EMPTY');
  if (reply.outcome !== 'RESERVED') throw new Error(JSON.stringify(reply));
  expect(basketOf(reply.hold.lines)).toEqual(new Map(cart.basket));
  expect(reply.hold.slots).toHaveLength(unitsIn(cart.basket));
  model.carts.delete(buyerId);
  model.holds.set(holdId, { buyerId, basket: cart.basket, hold: reply.hold, state: 'held' });
}

async function giveBack(model: Model, buyer: Buyer, holdId: string, known: ModelHold | undefined): Promise<void> {
  if (!known) return;
  const reply = await buyer.returned(known.hold);
  model.note(`return ${reply.outcome}`);
  if (known.state === 'ended') return expect(reply.outcome).toBe('ALREADY_ENDED');
  if (known.state === 'acknowledged') return expect(reply.outcome).toBe('ORDER_EXISTS');
  expect(reply.outcome).toBe('RETURNED');
  model.meet(buyer.buyerId);
  const cart = model.carts.get(buyer.buyerId) ?? { basket: new Map(), hasLapsed: false };
  for (const [sku, has] of known.basket) {
    const had = cart.basket.get(sku) ?? (typeof has === 'number' ? 0 : []);
    cart.basket.set(sku, typeof has === 'number' ? has + Number(had) : [...(had as readonly string[]), ...has]);
  }
  cart.hasLapsed = false;
  model.carts.set(buyer.buyerId, cart);
  model.expired.delete(buyer.buyerId);
  model.holds.delete(holdId);
}
