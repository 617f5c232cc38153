import {
  at,
  availableOf,
  expand,
  freeSeats,
  groupsOf,
  loaded,
  msOf,
  ownerOf,
  poolOf,
  putSeats,
  type Reply,
  type Rule,
  touch,
  unwatch,
} from './moves.ts';
import { type Hold, type Item, inOrder, type Line, linesText, nothing, type Sale, type State } from './state.ts';

// The scripts of loads, of a sale's own fields, of suspects and of seats as they are shown.

const isLoading = (state: State, epoch: string) => !state.sale && state.loadingEpoch === Number(epoch);

const loadBegin: Rule = (state, args) => {
  const epoch = Number(at(args, 0));
  if (state.sale) return ['ALREADY_LOADED'];
  if ((state.loadingEpoch ?? 0) > epoch) return ['STALE_EPOCH'];
  const { notedVersion, leaseOwner } = state;
  Object.assign(state, { listed: undefined, behind: undefined, closedMs: undefined }, nothing(), {
    notedVersion,
    leaseOwner,
    loadingEpoch: epoch,
  });
  return ['BEGUN'];
};

/** A chunk counts once. */
const chunk =
  (take: (state: State, args: readonly string[]) => void): Rule =>
  (state, args) => {
    if (!isLoading(state, at(args, 0))) return ['STALE_EPOCH'];
    if (!state.chunks.has(at(args, 1))) take(state, args);
    state.chunks.add(at(args, 1));
    return ['TAKEN'];
  };

const seatedItem = (state: State, sku: string): Item => {
  const item = state.items.get(sku) ?? { seated: true, total: 0, next: 1, free: 0 };
  state.items.set(sku, item);
  return item;
};

function loadRow(
  state: State,
  [sku = '', kind, unit = '', standing, holdId = '', buyerId = '', slot, atMs]: string[],
  holdMs: number,
): void {
  const bit = Number(slot) > 0 ? 1 << (Number(slot) - 1) : 0;
  if (bit > 0) state.masks.set(buyerId, (state.masks.get(buyerId) ?? 0) | bit);
  if (standing !== 'RETIRED') {
    const state0 = standing === 'SOLD' ? 'C' : 'A';
    const [bornUs, expiresAtMs] = [Number(`${atMs}000`), Number(atMs) + holdMs];
    const hold: Hold = state.holds.get(holdId) ?? { state: state0, bornUs, expiresAtMs, payloadHash: '-', buyerId, slots: 0, lines: [] };
    state.holds.set(holdId, hold);
    if (state0 === 'C') hold.state = 'C';
    hold.slots |= bit;
    addUnit(hold, sku, kind === 'seat' ? { sku, seats: [unit] } : { sku, serials: [Number(unit)] });
  }
  if (kind !== 'seat') return;
  if (ownerOf(state, sku, unit) === '') seatedItem(state, sku).free--;
  putSeats(state, sku, [unit], standing === 'RETIRED' ? '-' : holdId);
}

function addUnit({ lines }: Hold, sku: string, { seats, serials = [] }: Line): void {
  const index = lines.findIndex((line) => line.sku === sku);
  const own = lines[index];
  if (seats) lines.splice(own ? index : lines.length, 1, { sku, seats: [...new Set([...(own?.seats ?? []), ...seats])] });
  else lines.splice(own ? index : lines.length, 1, { sku, serials: inOrder(new Set([...(own?.serials ?? []), ...serials])) });
}

const loadUnits = chunk((state, args) => {
  for (const row of groupsOf(args, 3, 8)) loadRow(state, row, Number(at(args, 2)));
});

const loadSeats = chunk((state, args) => {
  const sku = at(args, 2);
  const item = seatedItem(state, sku);
  for (const seat of args.slice(3)) {
    item.total++;
    item.next++;
    if (ownerOf(state, sku, seat) !== undefined) continue;
    putSeats(state, sku, [seat], '');
    item.free++;
  }
});

const loadFree = chunk((state, args) => {
  for (const [sku = '', first, last] of groupsOf(args, 2, 3))
    for (const serial of expand(`${first}-${last}`)) poolOf(state.free, sku).add(serial);
});

const loadPublish: Rule = (state, args) => {
  const version = Number(at(args, 1));
  if (state.sale) return ['ALREADY_LOADED'];
  if (!isLoading(state, at(args, 0))) return ['STALE_EPOCH'];
  if (state.chunks.size !== Number(at(args, 7))) return ['INCOMPLETE'];
  if ((state.notedVersion ?? 0) > version) return ['STALE_VERSION'];
  const groups = groupsOf(args, 9, 5);
  const lacksSeats = groups.some(([sku = '', kind, total]) => kind === 'seated' && (state.items.get(sku)?.total ?? 0) !== Number(total));
  if (lacksSeats) return ['INCOMPLETE'];
  for (const [sku = '', kind, total, next, free] of groups)
    if (kind === 'counted') state.items.set(sku, { seated: false, total: Number(total), next: Number(next), free: Number(free) });
  state.listed = groups.map(([sku]) => sku).join(';');
  if (at(args, 8) === '1') state.behind = '1';
  state.sale = saleOf(args.slice(1), { bornFloorUs: 0, epoch: Number(at(args, 0)) });
  state.loadingEpoch = undefined;
  state.notedVersion = undefined;
  state.chunks.clear();
  return ['LOADED'];
};

/** From version, control, window, limit and hold time, as update has them. */
export const saleOf = (args: readonly string[], { bornFloorUs, epoch }: Pick<Sale, 'bornFloorUs' | 'epoch'>): Sale => ({
  ...{ version: Number(at(args, 0)), control: at(args, 1), opensAtMs: at(args, 2), closesAtMs: at(args, 3) },
  ...{ limit: Number(at(args, 4)), holdMs: Number(at(args, 5)), bornFloorUs, epoch },
});

/** The sale is what the copy says; totals of counted items only grow. */
export function followCopy(state: State, sale: Sale, args: readonly string[]): void {
  state.sale = saleOf(args, sale);
  const totals = groupsOf(args, 6, 2);
  for (const [sku = '', total] of totals) {
    const item = state.items.get(sku);
    if (item && !item.seated) item.total = Math.max(item.total, Number(total));
  }
  touch(
    state,
    totals.map(([sku = '']) => sku),
  );
}

const update: Rule = (state, args) => {
  const version = Number(at(args, 0));
  const { sale } = state;
  if (!sale) {
    state.notedVersion = Math.max(state.notedVersion ?? 0, version);
    return ['NOT_LOADED'];
  }
  if (sale.version >= version) return ['UP_TO_DATE'];
  followCopy(state, sale, args);
  return ['UPDATED'];
};

const closedSince: Rule = loaded((state, _args, nowUs) => {
  if (state.sale?.control !== 'cancelled') return ['SELLING'];
  state.closedMs ??= String(msOf(nowUs));
  return ['CLOSED', state.closedMs];
});

const read: Rule = loaded((state, _args, nowUs) => {
  const { control = '', opensAtMs = '', closesAtMs = '', limit = 0, holdMs = 0, version = 0, epoch = 0 } = state.sale ?? {};
  const items = (state.listed ?? '').split(';').flatMap((sku): Reply => {
    const item = state.items.get(sku);
    if (!item) throw new Error(`no ${sku}`);
    return [sku, item.seated ? 'seated' : 'counted', item.total, availableOf(item), Math.max(0, item.next - 1 - item.free)];
  });
  return ['READ', msOf(nowUs), control, opensAtMs, closesAtMs, limit, holdMs, version, epoch, ...items];
});

const addSeats: Rule = loaded((state, args) => {
  const sku = at(args, 0);
  const item = seatedItem(state, sku);
  const fresh = at(args, 1)
    .split(',')
    .filter((seat) => ownerOf(state, sku, seat) === undefined);
  putSeats(state, sku, fresh, '');
  item.total += fresh.length;
  item.next += fresh.length;
  item.free += fresh.length;
  touch(state, [sku]);
  return ['ADDED', fresh.length];
});

const seatStates: Rule = loaded((state, args) => {
  const shown = (seat: string): string => {
    const owner = ownerOf(state, at(args, 0), seat);
    if (owner === undefined) return 'unknown';
    if (owner === '') return 'free';
    return owner === '-' || state.holds.get(owner)?.state === 'C' ? 'sold' : 'held';
  };
  return ['STATES', ...at(args, 1).split(',').map(shown)];
});

const placeOf = (sku: string, unit: string): string => (/^\d+$/.test(unit) ? `${sku}|${unit.padStart(7, '0')}` : `${sku}|:${unit}`);

const suspects: Rule = loaded((state, args) => {
  const [limit, afterSku, afterUnit] = [Number(at(args, 0)), at(args, 1), at(args, 2)];
  const isSeated = state.items.get(afterSku)?.seated === true;
  const after = afterSku === '' ? '' : isSeated ? `${afterSku}|:${afterUnit}` : placeOf(afterSku, afterUnit);
  const all = [
    ...[...state.suspects].flatMap(([sku, serials]) =>
      [...serials].map((serial) => ({ sku, serials: [serial], place: placeOf(sku, String(serial)) })),
    ),
    ...[...state.suspectSeats].map((name) => {
      const [sku = '', seat = ''] = name.split('|');
      return { sku, seats: [seat], place: `${sku}|:${seat}` };
    }),
  ];
  const page = all
    .filter(({ place }) => place > after)
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .slice(0, limit);
  const hold: Pick<Hold, 'lines'> = { lines: [] };
  for (const { place: _, ...line } of page) addUnit(hold as Hold, line.sku, line);
  return ['PAGE', linesText(hold.lines)];
});

const returnSuspects: Rule = loaded((state, args) => {
  const groups = groupsOf(args, 0, 2);
  let returned = 0;
  for (const [sku = '', text = ''] of groups) {
    const item = state.items.get(sku);
    if (!item) throw new Error(`no ${sku}`);
    const names = text.startsWith('@') ? text.slice(1).split(',') : [];
    const cleared = names.filter((seat) => ownerOf(state, sku, seat) === '?');
    returned += freeSeats(state, sku, cleared, '?');
    for (const seat of cleared) state.suspectSeats.delete(`${sku}|${seat}`);
    if (names.length > 0) continue;
    const [free, suspected] = [poolOf(state.free, sku), poolOf(state.suspects, sku)];
    const back = expand(text).filter((serial) => serial <= item.total && suspected.delete(serial));
    returned += back.length;
    item.free += back.filter((serial) => !free.has(serial)).length;
    for (const serial of back) free.add(serial);
    unwatch(state, sku, back);
  }
  touch(
    state,
    groups.map(([sku = '']) => sku),
  );
  return ['RETURNED', returned];
});

export const saleRules: Readonly<Record<string, Rule>> = {
  'stock/load-begin': loadBegin,
  'stock/load-units': loadUnits,
  'stock/load-seats': loadSeats,
  'stock/load-free': loadFree,
  'stock/load-publish': loadPublish,
  'stock/update': update,
  'stock/closed-since': closedSince,
  'stock/read': read,
  'stock/add-seats': addSeats,
  'stock/seat-states': seatStates,
  'stock/suspects': suspects,
  'stock/return-suspects': returnSuspects,
};
