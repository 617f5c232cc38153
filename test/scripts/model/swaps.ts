import {
  at,
  expand,
  groupsOf,
  itemOf,
  keepOwn,
  loaded,
  lowestFree,
  ownerOf,
  poolOf,
  putSeats,
  type Reply,
  type Rule,
  seatsWith,
  skusOf,
  takeSeats,
  touch,
} from './moves.ts';
import { type Wanted, wantedOf } from './orders.ts';
import { Broken, inOrder, type Line, linesText, type State } from './state.ts';

// Exchanging what other orders own.

interface Exchange extends Wanted {
  readonly owned: string;
}

/** Serials to come that are owned become suspects; a later one is next. */
function skipOwned(state: State, sku: string, owned: readonly number[]): void {
  const item = itemOf(state, sku);
  for (; owned.includes(item.next); item.next++) poolOf(state.suspects, sku).add(item.next);
}

function withoutOwnedSerials(state: State, { sku, quantity, owned: text }: Exchange, had: readonly number[]): [Line, Reply | undefined] {
  const [item, free, suspects, owned] = [itemOf(state, sku), poolOf(state.free, sku), poolOf(state.suspects, sku), expand(text)];
  for (const serial of owned) {
    if (had.includes(serial)) suspects.add(serial);
    if (!free.delete(serial)) continue;
    item.free--;
    suspects.add(serial);
  }
  const kept = had.filter((serial) => !owned.includes(serial));
  keepOwn(state, sku, kept);
  skipOwned(state, sku, owned);
  const ahead = Math.max(0, item.total - item.next + 1) - owned.filter((serial) => serial >= item.next && serial <= item.total).length;
  const available = kept.length + item.free + ahead;
  return [{ sku, serials: kept }, available < quantity ? ['SOLD_OUT', sku, available] : undefined];
}

function withoutOwnedSeats(state: State, { sku, seats = [], owned }: Exchange, had: string[], holdId: string): [Line, Reply | undefined] {
  const item = itemOf(state, sku);
  for (const seat of owned === '' ? [] : owned.slice(1).split(',')) {
    const owner = ownerOf(state, sku, seat);
    if (owner !== '' && owner !== holdId) continue;
    if (owner === '') item.free--;
    putSeats(state, sku, [seat], '?');
    state.suspectSeats.add(`${sku}|${seat}`);
  }
  const kept = seatsWith(state, sku, had, holdId);
  const taken = seats.filter((seat) => !kept.includes(seat) && ownerOf(state, sku, seat) !== '');
  return [{ sku, seats: kept }, taken.length > 0 ? ['SEAT_TAKEN', sku, taken.join(',')] : undefined];
}

/** What the hold has of the line after it was filled up. */
function filled(state: State, { sku, seats, quantity, owned }: Exchange, left: Line, holdId: string): Line {
  if (seats) {
    const missing = seats.filter((seat) => !left.seats?.includes(seat));
    takeSeats(state, sku, missing, holdId);
    return { sku, seats: [...(left.seats ?? []), ...missing] };
  }
  const [item, free, taken] = [itemOf(state, sku), poolOf(state.free, sku), expand(owned)];
  const serials = [...(left.serials ?? [])];
  for (const serial of lowestFree(state, sku, Math.max(0, Math.min(item.free, quantity - serials.length)))) {
    free.delete(serial);
    item.free--;
    serials.push(serial);
  }
  while (serials.length < quantity) {
    skipOwned(state, sku, taken);
    if (item.next > item.total) throw new Error(`fewer of ${sku} than were seen`);
    serials.push(item.next++);
  }
  skipOwned(state, sku, taken);
  return { sku, serials: inOrder(serials) };
}

export const swap: Rule = loaded((state, args) => {
  const holdId = at(args, 0);
  const hold = state.holds.get(holdId);
  if (!hold) return ['UNKNOWN_HOLD'];
  if (hold.state === 'E') return ['ALREADY_ENDED'];
  if (hold.bornUs !== Number(at(args, 1))) return ['UNKNOWN_HOLD'];
  if (hold.state !== 'H') return ['ORDER_EXISTS'];
  const wanted = groupsOf(args, 2, 3).map(([sku = '', text = '', owned = '']): Exchange => ({ ...wantedOf(sku, text), owned }));
  for (const { sku, seats, quantity, owned } of wanted) {
    const want = seats ? 0 : Math.min(itemOf(state, sku).free, quantity + expand(owned).length);
    if (poolOf(state.free, sku).size < want) throw new Broken(`free pool of ${sku}`);
  }
  const lefts = wanted.map((line) => {
    const had = hold.lines.find(({ sku }) => sku === line.sku);
    return line.seats ? withoutOwnedSeats(state, line, had?.seats ?? [], holdId) : withoutOwnedSerials(state, line, had?.serials ?? []);
  });
  const refusal = lefts.find(([, refused]) => refused)?.[1];
  hold.lines = lefts.map(([line], index) => {
    const asked = wanted[index];
    return refusal || !asked ? line : filled(state, asked, line, holdId);
  });
  touch(state, skusOf(hold.lines));
  if (wanted.some(({ owned }) => owned !== '')) state.behind = '1';
  return refusal ?? ['SWAPPED', hold.bornUs, hold.expiresAtMs, hold.slots, linesText(hold.lines)];
});
