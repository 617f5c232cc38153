import {
  at,
  availableOf,
  changeSlots,
  closedDoor,
  countSlots,
  countUnits,
  freeSeats,
  giveAllBack,
  giveBack,
  grantSlots,
  keepOwn,
  keepSlots,
  loaded,
  msOf,
  ownerOf,
  putSeats,
  type Reply,
  type Rule,
  raiseBornFloor,
  seatsWith,
  sizeOf,
  takeSeats,
  touch,
  unitsMax,
  unwatch,
} from './moves.ts';
import { birth, replay, takeUnits } from './orders.ts';
import { Broken, type Hold, inOrder, type Line, linesText, type State } from './state.ts';

// The scripts of carts.

const holdTimesMax = 3;

/** The cart as it is now, or none; one whose time is up is ended, and its mark stays. */
function liveCart(state: State, cartId: string, nowUs: number): { cart?: Hold | undefined; hasExpired: boolean } {
  const cart = state.holds.get(cartId);
  if (!cart) return { hasExpired: false };
  if (cart.state !== 'K') throw new Broken('cart record');
  if (cart.lines.length === 0) return { hasExpired: true };
  if (msOf(nowUs) < cart.expiresAtMs) return { cart, hasExpired: false };
  endCart(state, cartId, cart);
  return { hasExpired: true };
}

function endCart(state: State, cartId: string, cart: Hold): void {
  giveAllBack(state, cartId, cart);
  cart.lines = [];
  cart.slots = 0;
  state.carts.delete(cartId);
}

/** The lines without seats that orders turned out to own, and the first line that lost some, with those. */
function keptLines(state: State, id: string, lines: readonly Line[]): { lines: Line[]; lost?: { sku: string; seats: string[] } } {
  let lost: { sku: string; seats: string[] } | undefined;
  const left = lines.map((line): Line => {
    if (!line.seats) return line;
    const kept = seatsWith(state, line.sku, line.seats, id);
    if (kept.length < line.seats.length) lost ??= { sku: line.sku, seats: line.seats.filter((seat) => !kept.includes(seat)) };
    return { sku: line.sku, seats: kept };
  });
  return { lines: left.filter((line) => sizeOf(line) > 0), ...(lost ? { lost } : {}) };
}

function putCart(state: State, cartId: string, cart: Hold): void {
  if (cart.lines.length === 0) {
    state.holds.delete(cartId);
    state.carts.delete(cartId);
  } else {
    state.holds.set(cartId, cart);
    state.carts.set(cartId, cart.expiresAtMs);
  }
}

/** Writes a cart that has fewer units than it has slots for. */
function shrinkCart(state: State, cartId: string, cart: Hold): void {
  const slots = keepSlots(cart.slots, countUnits(cart.lines));
  changeSlots(state, cart.buyerId, cart.slots, slots);
  cart.slots = slots;
  putCart(state, cartId, cart);
}

const cartReply = (expiresAtMs: number, lines: readonly Line[]): Reply =>
  lines.length === 0 ? ['CART', 0, ''] : ['CART', expiresAtMs, linesText(lines)];

interface CartLine {
  readonly sku: string;
  readonly seats: string[] | undefined;
  readonly quantity: number;
}

/** The slots that the cart has afterwards, or the refusal. */
function allowance(state: State, buyerId: string, before: number, units: number): { slots: number } | { refusal: Reply } {
  const { limit = 0 } = state.sale ?? {};
  const kept = keepSlots(before, units);
  if (limit === 0) return { slots: kept };
  const others = (state.masks.get(buyerId) ?? 0) & ~before;
  const [missing, used] = [units - countSlots(kept), countSlots(others) + countSlots(kept)];
  if (missing > 0 && used + missing > limit) return { refusal: ['BUYER_LIMIT', limit, used] };
  return { slots: kept + grantSlots(others | kept, missing) };
}

/** The line's units afterwards: the lowest of those that it had are kept. */
function lineWith(state: State, cartId: string, had: Line, { sku, seats, quantity }: CartLine): Line {
  if (seats) {
    freeSeats(
      state,
      sku,
      (had.seats ?? []).filter((seat) => !seats.includes(seat)),
      cartId,
    );
    takeSeats(
      state,
      sku,
      seats.filter((seat) => ownerOf(state, sku, seat) === ''),
      cartId,
    );
    return { sku, seats };
  }
  const own = had.serials ?? [];
  const kept = own.slice(0, quantity);
  const more = quantity > own.length ? takeUnits(state, sku, quantity - own.length) : [];
  giveBack(state, sku, own.slice(quantity));
  return { sku, serials: inOrder([...kept, ...more]) };
}

const cartSet: Rule = loaded((state, args, nowUs) => {
  const [cartId, buyerId, sku, text] = [at(args, 0), at(args, 1), at(args, 2), at(args, 3)];
  const seats = text.startsWith('@') ? text.slice(1).split(',') : undefined;
  const line: CartLine = { sku, seats, quantity: seats?.length ?? Number(text) };
  const item = state.items.get(sku);
  if (!item) return ['UNKNOWN_SKU', sku];
  const { cart } = liveCart(state, cartId, nowUs);
  const lines = keptLines(state, cartId, cart?.lines ?? []).lines;
  if (item.seated !== (seats !== undefined)) return ['WRONG_KIND', sku, item.seated ? 'seated' : 'counted'];
  const unknown = seats?.find((seat) => ownerOf(state, sku, seat) === undefined);
  if (unknown !== undefined) return ['UNKNOWN_SEAT', sku, unknown];
  const closed = closedDoor(state, nowUs);
  if (closed) return closed;

  const index = lines.findIndex((each) => each.sku === sku);
  const had = lines[index] ?? { sku };
  const units = countUnits(lines) - sizeOf(had) + line.quantity;
  const allowed = allowance(state, buyerId, cart?.slots ?? 0, units);
  if ('refusal' in allowed) return allowed.refusal;
  if (units > unitsMax && line.quantity > sizeOf(had)) return ['CART_FULL'];
  const taken = (seats ?? []).filter((seat) => !['', cartId].includes(ownerOf(state, sku, seat) ?? ''));
  if (taken.length > 0) return ['SEAT_TAKEN', sku, taken.join(',')];
  if (!seats && line.quantity > sizeOf(had) && keepOwn(state, sku, had.serials ?? [])) touch(state, [sku]);
  const most = sizeOf(had) + availableOf(item);
  if (!seats && line.quantity > most) return ['SOLD_OUT', sku, most];

  lines.splice(index < 0 ? lines.length : index, 1, lineWith(state, cartId, had, line));
  touch(state, [sku]);
  const { holdMs = 0 } = state.sale ?? {};
  const bornUs = cart?.bornUs ?? nowUs;
  const expiresAtMs = Math.max(cart?.expiresAtMs ?? 0, Math.min(msOf(nowUs) + holdMs, msOf(bornUs) + holdTimesMax * holdMs));
  changeSlots(state, buyerId, cart?.slots ?? 0, allowed.slots);
  const owner = cart?.buyerId ?? buyerId;
  putCart(state, cartId, {
    state: 'K',
    bornUs,
    expiresAtMs,
    payloadHash: cart?.payloadHash ?? '-',
    buyerId: owner,
    slots: allowed.slots,
    lines,
  });
  return cartReply(expiresAtMs, lines);
});

const cartDrop: Rule = loaded((state, args, nowUs) => {
  const [cartId, sku] = [at(args, 0), at(args, 1)];
  const { cart } = liveCart(state, cartId, nowUs);
  if (sku === '') {
    if (cart) endCart(state, cartId, cart);
    state.holds.delete(cartId);
    return cartReply(0, []);
  }
  if (!cart) return cartReply(0, []);
  const { lines } = keptLines(state, cartId, cart.lines);
  const dropped = lines.find((line) => line.sku === sku);
  if (dropped) giveAllBack(state, cartId, { lines: [dropped], buyerId: cart.buyerId, slots: 0 });
  cart.lines = lines.filter((line) => line !== dropped);
  shrinkCart(state, cartId, cart);
  return cartReply(cart.expiresAtMs, cart.lines);
});

const cartRead: Rule = loaded((state, args, nowUs) => {
  const { cart } = liveCart(state, at(args, 0), nowUs);
  return cart ? cartReply(cart.expiresAtMs, keptLines(state, at(args, 0), cart.lines).lines) : cartReply(0, []);
});

const cartCheckout: Rule = loaded((state, args, nowUs) => {
  const [holdId, buyerId, payloadHash, cartId] = [at(args, 0), at(args, 1), at(args, 2), at(args, 3)];
  const known = state.holds.get(holdId);
  if (known) {
    const reply = replay(state, known, buyerId, payloadHash);
    return reply[0] === 'RESERVED' ? [...reply, state.cartLines.get(holdId) ?? ''] : reply;
  }
  const closed = closedDoor(state, nowUs);
  if (closed) return closed;
  const { cart, hasExpired } = liveCart(state, cartId, nowUs);
  if (!cart) return [hasExpired ? 'CART_EXPIRED' : 'CART_EMPTY'];
  if (cart.buyerId !== buyerId) throw new Broken('cart of another buyer');
  const { lines, lost } = keptLines(state, cartId, cart.lines);
  cart.lines = lines;
  if (lost) {
    shrinkCart(state, cartId, cart);
    return ['SEAT_TAKEN', lost.sku, lost.seats.join(',')];
  }
  const [bornUs, expiresAtMs] = [birth(state, nowUs), msOf(nowUs) + (state.sale?.holdMs ?? 0)];
  state.holds.delete(cartId);
  state.carts.delete(cartId);
  state.holds.set(holdId, { ...cart, state: 'H', bornUs, payloadHash, expiresAtMs });
  state.cartLines.set(holdId, linesText(lines));
  state.expiry.push({ holdId, dueMs: expiresAtMs, bornUs });
  handOn(state, buyerId, lines, holdId);
  return ['RESERVED', bornUs, expiresAtMs, cart.slots, linesText(lines), '', linesText(lines)];
});

/** From one owner to the next, without being anybody's to buy in between. */
function handOn(state: State, buyerId: string, lines: readonly Line[], owner: string): void {
  state.watchedSlots.delete(buyerId);
  for (const { sku, serials = [], seats = [] } of lines) {
    unwatch(state, sku, serials);
    putSeats(state, sku, seats, owner);
  }
}

function merged(lines: readonly Line[], more: readonly Line[]): Line[] {
  const all = [...lines];
  for (const line of more) {
    const index = all.findIndex(({ sku }) => sku === line.sku);
    const own = all[index];
    if (!own) all.push(line);
    else if (line.seats) all[index] = { sku: line.sku, seats: [...(own.seats ?? []), ...line.seats] };
    else all[index] = { sku: line.sku, serials: inOrder(new Set([...(own.serials ?? []), ...(line.serials ?? [])])) };
  }
  return all;
}

const cartReturn: Rule = loaded((state, args, nowUs) => {
  const [holdId, bornUs, cartId] = [at(args, 0), Number(at(args, 1)), at(args, 2)];
  const hold = state.holds.get(holdId);
  if (!hold) return ['UNKNOWN_HOLD'];
  if (hold.state === 'E') return ['ALREADY_ENDED'];
  if (hold.state !== 'H') return ['ORDER_EXISTS'];
  if (hold.bornUs > bornUs) return ['ALREADY_ENDED'];
  const { cart } = liveCart(state, cartId, nowUs);
  if (cart) cart.lines = keptLines(state, cartId, cart.lines).lines;
  const { lines } = keptLines(state, holdId, hold.lines);
  const units = countUnits(lines);
  const hasRoom = units + countUnits(cart?.lines ?? []) <= unitsMax;
  const hasSlots = (state.sale?.limit ?? 0) === 0 || countSlots(hold.slots) >= units;
  const isKept = units > 0 && hasRoom && hasSlots && msOf(nowUs) < hold.expiresAtMs;
  state.holds.delete(holdId);
  state.cartLines.delete(holdId);
  raiseBornFloor(state, bornUs);
  if (!isKept) {
    giveAllBack(state, holdId, { ...hold, lines });
    if (cart) shrinkCart(state, cartId, cart);
    return ['RELEASED', linesText(lines)];
  }
  handOn(state, hold.buyerId, lines, cartId);
  const next = cart ?? { ...hold, state: 'K', payloadHash: '-', slots: 0, lines: [] };
  next.lines = merged(next.lines, lines);
  next.slots |= hold.slots;
  shrinkCart(state, cartId, next);
  return ['RETURNED', linesText(lines)];
});

const cartExpire: Rule = loaded((state, args, nowUs) => {
  const limit = Number(at(args, 0));
  const due = [...state.carts]
    .filter(([, dueMs]) => dueMs <= msOf(nowUs))
    .sort(([one, oneMs], [other, otherMs]) => oneMs - otherMs || (one < other ? -1 : 1))
    .slice(0, limit);
  let count = 0;
  for (const [cartId] of due) {
    const had = (state.holds.get(cartId)?.lines ?? []).length > 0;
    const { cart } = liveCart(state, cartId, nowUs);
    if (cart) state.carts.set(cartId, cart.expiresAtMs);
    else state.carts.delete(cartId);
    if (had && !cart) count++;
  }
  return ['EXPIRED', count, due.length === limit ? 1 : 0];
});

const cartTrack: Rule = loaded((state, args) => {
  const cart = state.holds.get(at(args, 0));
  if (cart?.state !== 'K' || cart.lines.length === 0) return ['NO_CART'];
  if (state.carts.get(at(args, 0)) === cart.expiresAtMs) return ['ALREADY_TRACKED'];
  state.carts.set(at(args, 0), cart.expiresAtMs);
  return ['TRACKED'];
});

export const cartRules: Readonly<Record<string, Rule>> = {
  'stock/cart-set': cartSet,
  'stock/cart-drop': cartDrop,
  'stock/cart-read': cartRead,
  'stock/cart-checkout': cartCheckout,
  'stock/cart-return': cartReturn,
  'stock/cart-expire': cartExpire,
  'stock/cart-track': cartTrack,
};
