import {
  adopt,
  at,
  availableOf,
  changeSlots,
  closedDoor,
  countSlots,
  countUnits,
  ended,
  freeSeats,
  giveAllBack,
  giveBack,
  grantSlots,
  groupsOf,
  itemOf,
  lineOf,
  loaded,
  lowestFree,
  msOf,
  ownerOf,
  poolOf,
  type Reply,
  type Rule,
  raiseBornFloor,
  skusOf,
  takeSeats,
  touch,
  unwatch,
} from './moves.ts';
import { Broken, type Hold, holdText, inOrder, type Line, linesText, type State } from './state.ts';

// The scripts of holds and orders.

export interface Wanted {
  readonly sku: string;
  readonly seats: string[] | undefined;
  readonly quantity: number;
}
/** A line as an argument asks for it: so many, or these seats. */
export const wantedOf = (sku: string, text: string): Wanted => {
  const seats = text.startsWith('@') ? text.slice(1).split(',') : undefined;
  return { sku, seats, quantity: seats?.length ?? Number(text) };
};

/** What is wrong with the lines themselves, whatever the sale's state is. */
function misfit(state: State, wanted: readonly Wanted[]): Reply | undefined {
  for (const { sku, seats } of wanted) {
    const item = state.items.get(sku);
    if (!item) return ['UNKNOWN_SKU', sku];
    if (item.seated !== (seats !== undefined)) return ['WRONG_KIND', sku, item.seated ? 'seated' : 'counted'];
  }
  for (const { sku, seats = [] } of wanted) {
    const unknown = seats.find((seat) => ownerOf(state, sku, seat) === undefined);
    if (unknown !== undefined) return ['UNKNOWN_SEAT', sku, unknown];
  }
  return undefined;
}

function shortage(state: State, { sku, seats, quantity }: Wanted): Reply | undefined {
  const available = availableOf(itemOf(state, sku));
  if (!seats) return available < quantity ? ['SOLD_OUT', sku, available] : undefined;
  const taken = seats.filter((seat) => ownerOf(state, sku, seat) !== '');
  return taken.length > 0 ? ['SEAT_TAKEN', sku, taken.join(',')] : undefined;
}

const unitsIn = (wanted: readonly Wanted[]) => wanted.reduce((sum, { quantity }) => sum + quantity, 0);

/** A hold that is there, asked for again; a refusal where it must become no order. */
export function replay(state: State, hold: Hold, buyerId: string, payloadHash: string): Reply {
  const { control = '', limit = 0 } = state.sale ?? {};
  if (hold.state === 'E') return ['ENDED'];
  if (hold.payloadHash !== payloadHash || hold.buyerId !== buyerId) return ['KEY_REUSED'];
  if (hold.state === 'H' && control === 'cancelled') return ['NOT_OPEN', 'closed'];
  if (hold.state === 'H' && limit > 0 && countSlots(hold.slots) < countUnits(hold.lines))
    return ['BUYER_LIMIT', limit, countSlots(state.masks.get(buyerId) ?? 0)];
  return ['RESERVED', hold.bornUs, hold.expiresAtMs, hold.slots, linesText(hold.lines), hold.state];
}

const mayFollowABehind = new Set(['NOT_OPEN', 'BUYER_LIMIT', 'SOLD_OUT', 'SEAT_TAKEN']);
/** `reserve` says with a refusal whether Redis may have forgotten orders. */
const withBehind = (state: State, reply: Reply): Reply =>
  mayFollowABehind.has(String(reply[0])) ? [...reply, state.behind === undefined ? 0 : 1] : reply;

export const birth = (state: State, nowUs: number): number => Math.max(nowUs, (state.sale?.bornFloorUs ?? 0) + 1);

/** So many units of a counted item, the returned ones first; of one whose counter says more than its pool has, none. */
export function takeUnits(state: State, sku: string, quantity: number): number[] {
  const item = itemOf(state, sku);
  const want = Math.max(0, Math.min(item.free, quantity));
  const returned = lowestFree(state, sku, want);
  if (returned.length !== want) throw new Broken(`free pool of ${sku}`);
  for (const serial of returned) poolOf(state.free, sku).delete(serial);
  item.free -= want;
  const fresh = Array.from({ length: quantity - want }, () => item.next++);
  return inOrder([...returned, ...fresh]);
}

const reserve: Rule = loaded((state, args, nowUs) => {
  const [holdId, buyerId, payloadHash] = [at(args, 0), at(args, 1), at(args, 2)];
  const known = state.holds.get(holdId);
  if (known) return withBehind(state, replay(state, known, buyerId, payloadHash));
  const wanted = groupsOf(args, 3, 2).map(([sku = '', text = '']) => wantedOf(sku, text));
  const refusal = misfit(state, wanted) ?? closedDoor(state, nowUs);
  if (refusal) return withBehind(state, refusal);
  const { limit = 0, holdMs = 0 } = state.sale ?? {};
  const [mask, units] = [state.masks.get(buyerId) ?? 0, unitsIn(wanted)];
  if (limit > 0 && countSlots(mask) + units > limit) return withBehind(state, ['BUYER_LIMIT', limit, countSlots(mask)]);
  for (const line of wanted) {
    const short = shortage(state, line);
    if (short) return withBehind(state, short);
    const item = itemOf(state, line.sku);
    const inPool = poolOf(state.free, line.sku).size;
    if (line.seats ? availableOf(item) < line.quantity : inPool < Math.min(item.free, line.quantity)) throw new Broken(line.sku);
  }

  const lines = wanted.map(({ sku, seats, quantity }): Line => {
    if (!seats) return { sku, serials: takeUnits(state, sku, quantity) };
    takeSeats(state, sku, seats, holdId);
    return { sku, seats };
  });
  touch(state, skusOf(lines));
  const slots = limit > 0 ? grantSlots(mask, units) : 0;
  // A slot that is taken ends no watch of it by being free before: it was not on it.
  if (limit > 0) state.masks.set(buyerId, mask + slots);
  const [bornUs, expiresAtMs] = [birth(state, nowUs), msOf(nowUs) + holdMs];
  state.holds.set(holdId, { state: 'H', bornUs, expiresAtMs, payloadHash, buyerId, slots, lines });
  state.expiry.push({ holdId, dueMs: expiresAtMs, bornUs });
  return ['RESERVED', bornUs, expiresAtMs, slots, linesText(lines), ''];
});

const peek: Rule = loaded((state, args, nowUs) => {
  const wanted = groupsOf(args, 1, 2).map(([sku = '', text = '']) => wantedOf(sku, text));
  const refusal = misfit(state, wanted) ?? closedDoor(state, nowUs);
  if (refusal) return refusal;
  const { limit = 0, holdMs = 0 } = state.sale ?? {};
  const used = countSlots(state.masks.get(at(args, 0)) ?? 0);
  if (limit > 0 && used + unitsIn(wanted) > limit) return ['BUYER_LIMIT', limit, used];
  for (const line of wanted) {
    const short = shortage(state, line);
    if (short) return short;
  }
  return ['AVAILABLE', birth(state, nowUs), msOf(nowUs) + holdMs];
});

interface Order extends Hold {
  readonly id: string;
  readonly standing: string;
}
const orderOf = (args: readonly string[]): Order => ({
  ...{ id: at(args, 0), buyerId: at(args, 1), payloadHash: at(args, 2), bornUs: Number(at(args, 3)), expiresAtMs: Number(at(args, 4)) },
  ...{ slots: Number(at(args, 5)), standing: at(args, 6), state: at(args, 6) === 'confirmed' ? 'C' : 'A' },
  lines: groupsOf(args, 7, 2).map(([sku = '', text = '']) => lineOf(sku, text)),
});

/** The hold gives up what the order does not have, and the order takes what it has. */
function follow(state: State, { id, lines, standing }: Order, hold: Hold | undefined): void {
  for (const line of hold?.lines ?? []) {
    const kept = lines.find(({ sku }) => sku === line.sku);
    if (line.seats)
      freeSeats(
        state,
        line.sku,
        line.seats.filter((seat) => !kept?.seats?.includes(seat)),
        id,
      );
    else
      giveBack(
        state,
        line.sku,
        (line.serials ?? []).filter((serial) => !kept?.serials?.includes(serial)),
      );
  }
  for (const { sku, seats, serials = [] } of lines) {
    if (seats) takeSeats(state, sku, seats, standing === 'retired' ? '-' : id);
    const had = hold?.lines.find((line) => line.sku === sku)?.serials ?? [];
    if (!seats)
      adopt(
        state,
        sku,
        serials.filter((serial) => !had.includes(serial)),
      );
    for (const serial of serials) poolOf(state.suspects, sku).delete(serial);
    if (standing === 'retired') unwatch(state, sku, serials);
  }
  touch(state, [...skusOf(lines), ...skusOf(hold?.lines ?? [])]);
}

/** Whether a hold is already as its order has it, to the letter, and nothing else is left to do: so nothing that is being counted moves. */
function follows(state: State, order: ReturnType<typeof orderOf>, hold: Hold): boolean {
  const { id, standing, slots, lines } = order;
  const isLive = 'HAC'.includes(hold.state) && (standing === 'live' || standing === 'confirmed');
  const isSame = holdText({ ...order, state: hold.state }) === holdText(hold) && lines.every(({ seats }) => !seats);
  const usesSlots = ((state.masks.get(hold.buyerId) ?? 0) & slots) === slots;
  const suspects = [...state.suspects.values()].some(({ size }) => size > 0) || state.suspectSeats.size > 0;
  return isLive && isSame && usesSlots && !suspects && !state.cartLines.has(id);
}

export const acknowledge: Rule = loaded((state, args) => {
  const order = orderOf(args);
  const { id, standing, buyerId, slots } = order;
  const hold = state.holds.get(id);
  const hasEnded = hold?.state === 'E';
  const isRetired = standing === 'retired';
  if (hasEnded && !isRetired) return ['ALREADY_ENDED'];
  if (standing === 'ended') {
    if (hold) {
      giveAllBack(state, id, hold);
      touch(state, skusOf(order.lines));
    }
    changeSlots(state, buyerId, slots, 0);
    state.holds.set(id, ended(hold ?? order));
    state.cartLines.delete(id);
    return [hold ? 'RELEASED' : 'ALREADY_ENDED'];
  }
  if (hold && follows(state, order, hold)) {
    if (standing === 'confirmed') hold.state = 'C';
    if (hold.state === 'H') hold.state = 'A';
    return ['ACKNOWLEDGED'];
  }
  follow(state, order, hold);
  changeSlots(state, buyerId, hold?.slots ?? 0, slots);
  if (hasEnded) return ['ALREADY_ENDED'];
  const { bornUs, expiresAtMs, payloadHash, lines } = order;
  const next: Hold = { state: hold?.state === 'C' ? 'C' : order.state, bornUs, expiresAtMs, payloadHash, buyerId, slots, lines };
  state.holds.set(id, isRetired ? ended(next) : next);
  if (hold?.state === 'H') state.cartLines.delete(id);
  if (!hold) state.behind = '1';
  return [isRetired ? 'RELEASED' : 'ACKNOWLEDGED'];
});

const confirm: Rule = loaded((state, args) => {
  const hold = state.holds.get(at(args, 0));
  if (!hold) return ['UNKNOWN_HOLD'];
  const answers: Record<string, string> = { E: 'ALREADY_ENDED', C: 'ALREADY_CONFIRMED', H: 'NOT_ACKNOWLEDGED' };
  const answer = answers[hold.state];
  if (answer !== undefined) return [answer];
  hold.state = 'C';
  return ['CONFIRMED'];
});

const release: Rule = loaded((state, args) => {
  const [holdId, cause, bornUs] = [at(args, 0), at(args, 1), Number(at(args, 2))];
  const hold = state.holds.get(holdId);
  if (!hold) return ['UNKNOWN_HOLD'];
  if (hold.state === 'E') return ['ALREADY_ENDED'];
  if (cause === 'tombstone' && hold.state !== 'H') return ['ORDER_EXISTS'];
  if (cause === 'tombstone' && hold.bornUs > bornUs) return ['ALREADY_ENDED'];
  giveAllBack(state, holdId, hold);
  state.cartLines.delete(holdId);
  if (cause === 'order') {
    state.holds.set(holdId, ended(hold));
  } else {
    state.holds.delete(holdId);
    raiseBornFloor(state, bornUs);
  }
  return ['RELEASED', linesText(hold.lines)];
});

/** The due entries of a list are taken off it; those that are of a hold without an order are answered, up to the bound. */
function takeDue(state: State, list: 'expiry' | 'undecided', reply: (string | number)[], limit: number, nowMs: number): State['expiry'] {
  const again: State['expiry'] = [];
  while (again.length < limit) {
    const entry = state[list][0];
    if (!entry || entry.dueMs > nowMs) return again;
    state[list].shift();
    const hold = state.holds.get(entry.holdId);
    if (hold?.state !== 'H' || hold.bornUs !== entry.bornUs) continue;
    reply.push(entry.holdId, holdText(hold));
    again.push(entry);
  }
  reply[2] = 1;
  return again;
}

const takeExpired: Rule = loaded((state, args, nowUs) => {
  const [limit, retryMs, nowMs] = [Number(at(args, 0)), Number(at(args, 1)), msOf(nowUs)];
  const reply: (string | number)[] = ['DUE', nowMs, 0];
  const first = takeDue(state, 'expiry', reply, limit, nowMs);
  const again = [...first, ...takeDue(state, 'undecided', reply, limit - first.length, nowMs)];
  for (const { holdId, bornUs } of again) state.undecided.push({ holdId, dueMs: nowMs + retryMs, bornUs });
  return reply;
});

const mendAllowance: Rule = loaded((state, args) => {
  const hold = state.holds.get(at(args, 0));
  const theirs = Number(at(args, 2));
  if (!hold) return ['UNKNOWN_HOLD'];
  if (hold.state === 'E') return ['ALREADY_ENDED'];
  if (hold.bornUs !== Number(at(args, 1))) return ['UNKNOWN_HOLD'];
  if (hold.state !== 'H') return ['ORDER_EXISTS'];
  const { limit = 0 } = state.sale ?? {};
  if (limit === 0) return ['MENDED', 0];
  const mask = (state.masks.get(hold.buyerId) ?? 0) | theirs;
  const own = hold.slots & ~theirs;
  const [missing, used] = [countUnits(hold.lines) - countSlots(own), countSlots(mask)];
  const isRefused = missing > 0 && used + missing > limit;
  const granted = isRefused || missing <= 0 ? 0 : grantSlots(mask, missing);
  hold.slots = own | granted;
  changeSlots(state, hold.buyerId, 0, theirs | granted);
  state.behind = '1';
  return isRefused ? ['BUYER_LIMIT', limit, used - countSlots(own)] : ['MENDED', hold.slots];
});

export const orderRules: Readonly<Record<string, Rule>> = {
  'stock/reserve': reserve,
  'stock/peek': peek,
  'stock/acknowledge': acknowledge,
  'stock/confirm': confirm,
  'stock/release': release,
  'stock/take-expired': takeExpired,
  'stock/mend-allowance': mendAllowance,
};
