import {
  adopt,
  at,
  availableOf,
  changeSlots,
  countSlots,
  ended,
  expand,
  freeSeats,
  giveBack,
  groupsOf,
  itemOf,
  lineOf,
  msOf,
  ownerOf,
  poolOf,
  type Reply,
  type Rule,
  skusOf,
  takeSeats,
  touch,
} from './moves.ts';
import { acknowledge } from './orders.ts';
import { followCopy } from './sales.ts';
import { type Hold, holdText, type Line, linesText, type State } from './state.ts';

// The scripts of a reconciliation. Each stands behind the fence: the epoch of the load that was looked at is taken off the arguments.

const fenced =
  (rule: Rule): Rule =>
  (state, [epoch, ...args], nowUs) => {
    if (!state.sale) return ['NOT_LOADED'];
    return state.sale.epoch === Number(epoch) ? rule(state, args, nowUs) : ['STALE_EPOCH'];
  };

const linesFrom = (args: readonly string[], from: number) => groupsOf(args, from, 2).map(([sku = '', text = '']) => lineOf(sku, text));
const orderOf = (state: State, id: string): Hold | undefined => {
  const hold = state.holds.get(id);
  return hold?.state === 'A' || hold?.state === 'C' ? hold : undefined;
};

const look = fenced((state, args) => {
  const hold = state.holds.get(at(args, 0));
  const placeOf = (sku: string, serial: number): string => {
    if (serial >= itemOf(state, sku).next) return 'a';
    if (poolOf(state.free, sku).has(serial)) return 'f';
    return poolOf(state.suspects, sku).has(serial) ? 's' : '-';
  };
  const places = linesFrom(args, 2).map(({ sku, serials = [], seats }) =>
    seats ? seats.map((seat) => ownerOf(state, sku, seat) ?? '!').join(',') : serials.map((serial) => placeOf(sku, serial)).join(''),
  );
  return ['SEEN', hold ? holdText(hold) : '', state.masks.get(at(args, 1)) ?? 0, ...places];
});

const keep = fenced((state, args) => {
  const id = at(args, 0);
  const hold = orderOf(state, id);
  if (!hold) return ['CHANGED'];
  const named = linesFrom(args, 1);
  let kept = 0;
  for (const { sku, serials = [], seats } of hold.lines) {
    const [item, line] = [itemOf(state, sku), named.find((each) => each.sku === sku)];
    const before = availableOf(item);
    if (seats)
      takeSeats(
        state,
        sku,
        seats.filter((seat) => line?.seats?.includes(seat)),
        id,
      );
    else
      adopt(
        state,
        sku,
        serials.filter((serial) => line?.serials?.includes(serial)),
      );
    kept += before - availableOf(item);
  }
  touch(state, skusOf(hold.lines));
  return ['KEPT', kept];
});

const end = fenced((state, args) => {
  const id = at(args, 0);
  const hold = orderOf(state, id);
  if (hold?.bornUs !== Number(at(args, 1))) return ['CHANGED'];
  const others = linesFrom(args, 3);
  const freeUnits = () => hold.lines.reduce((sum, { sku }) => sum + itemOf(state, sku).free, 0);
  const before = freeUnits();
  for (const { sku, serials = [], seats } of hold.lines) {
    const theirs = others.find((line) => line.sku === sku)?.serials ?? [];
    if (seats) freeSeats(state, sku, seats, id);
    else
      giveBack(
        state,
        sku,
        serials.filter((serial) => !theirs.includes(serial)),
      );
  }
  const count = freeUnits() - before;
  touch(state, skusOf(hold.lines));
  changeSlots(state, hold.buyerId, hold.slots & ~Number(at(args, 2)), 0);
  state.holds.set(id, ended(hold));
  return ['ENDED', count];
});

const mark = fenced((state, args) => {
  const id = at(args, 0);
  if (state.holds.has(id)) return ['CHANGED'];
  const [buyerId, payloadHash, bornUs, expiresAtMs] = [at(args, 1), at(args, 2), Number(at(args, 3)), Number(at(args, 4))];
  state.holds.set(id, ended({ state: 'E', buyerId, payloadHash, bornUs, expiresAtMs }));
  return ['MARKED'];
});

const expiry = fenced((state, args, nowUs) => {
  const [holdId, bornUs, seen] = [at(args, 0), Number(at(args, 1)), at(args, 2)];
  const hold = state.holds.get(holdId);
  if (hold?.state !== seen || hold.bornUs !== bornUs || msOf(nowUs) < hold.expiresAtMs) return ['CHANGED'];
  const isOfHold = (entry: { holdId: string; bornUs: number }) => entry.holdId === holdId && entry.bornUs === bornUs;
  const isListed = state.expiry.some((entry) => isOfHold(entry) && entry.dueMs === hold.expiresAtMs) || state.undecided.some(isOfHold);
  if (seen === 'H' && isListed) return ['CHANGED'];
  hold.state = 'H';
  state.undecided.unshift({ holdId, dueMs: msOf(nowUs), bornUs });
  return ['LISTED'];
});

const watch = fenced((state, args) => {
  const token = at(args, 0);
  for (const [subject = '', what = ''] of groupsOf(args, 1, 2)) {
    const name = subject.slice(1);
    if (subject.startsWith('b')) {
      const used = (state.masks.get(name) ?? 0) & Number(what);
      if (used > 0) state.watchedSlots.set(name, { token, slots: used });
      continue;
    }
    const item = state.items.get(name);
    if (!item || item.seated) continue;
    const isGone = (serial: number) => serial < item.next && serial <= item.total;
    const isSomewhere = (serial: number) => poolOf(state.free, name).has(serial) || poolOf(state.suspects, name).has(serial);
    const gone = expand(what).filter((serial) => isGone(serial) && !isSomewhere(serial));
    if (gone.length > 0) state.watchedUnits.set(name, { token, serials: new Set(gone) });
  }
  return ['WATCHED'];
});

function freeWatched(state: State, token: string, sku: string, serials: readonly number[]): number {
  const watched = state.watchedUnits.get(sku);
  if (watched?.token !== token) return 0;
  state.watchedUnits.delete(sku);
  const item = itemOf(state, sku);
  const before = item.free;
  giveBack(
    state,
    sku,
    serials.filter((serial) => watched.serials.has(serial) && !poolOf(state.suspects, sku).has(serial)),
  );
  touch(state, [sku]);
  return item.free - before;
}

const free = fenced((state, args) => {
  let [units, slots] = [0, 0];
  for (const [subject = '', what = ''] of groupsOf(args, 1, 2)) {
    const name = subject.slice(1);
    if (subject.startsWith('u')) {
      units += freeWatched(state, at(args, 0), name, expand(what));
      continue;
    }
    const watched = state.watchedSlots.get(name);
    if (watched?.token !== at(args, 0)) continue;
    state.watchedSlots.delete(name);
    const freed = watched.slots & Number(what);
    changeSlots(state, name, freed, 0);
    slots += countSlots(freed);
  }
  return ['FREED', units, slots];
});

const unwatch = fenced((state, args) => {
  const lines: Line[] = [];
  for (const sku of args.slice(1)) {
    const watched = state.watchedUnits.get(sku);
    if (watched?.token !== at(args, 0)) continue;
    state.watchedUnits.delete(sku);
    if (watched.serials.size > 0) lines.push({ sku, serials: [...watched.serials] });
  }
  return ['LEFT', linesText(lines)];
});

const seat = fenced((state, args) => {
  const [sku, name, seen] = [at(args, 0), at(args, 1), at(args, 2)];
  if (ownerOf(state, sku, name) !== seen) return ['CHANGED'];
  if (seen === '?') {
    if (state.suspectSeats.has(`${sku}|${name}`)) return ['CHANGED'];
    state.suspectSeats.add(`${sku}|${name}`);
    return ['LISTED'];
  }
  if (state.holds.get(seen)?.lines.some((line) => line.sku === sku && line.seats?.includes(name))) return ['CHANGED'];
  freeSeats(state, sku, [name], seen);
  touch(state, [sku]);
  return ['FREED'];
});

const beginCount = fenced((state, args) => {
  const item = itemOf(state, at(args, 0));
  item.mark = at(args, 1);
  return ['COUNTING', item.seated ? 'seated' : 'counted', item.total, item.free];
});

const endCount = fenced((state, args) => {
  const item = itemOf(state, at(args, 0));
  if (item.mark !== at(args, 1)) return ['CHANGED'];
  const before = item.free;
  item.mark = undefined;
  item.free = Number(at(args, 3));
  if (item.seated) {
    item.total = Number(at(args, 2));
    item.next = item.total + 1;
  }
  return ['COUNTED', before, item.free];
});

const behind = fenced((state, args): Reply => {
  const [verb, token] = [at(args, 0), at(args, 1)];
  if (verb === 'begin' && state.behind === undefined) return ['CHANGED'];
  if (verb === 'end' && state.behind !== token) return ['CHANGED'];
  if (verb === 'end') state.behind = undefined;
  else state.behind = verb === 'begin' ? token : '1';
  return ['DONE'];
});

const saleFields = fenced((state, args) => {
  const { sale } = state;
  if (!sale || sale.version !== Number(at(args, 0))) return ['CHANGED'];
  followCopy(state, sale, args);
  return ['MENDED'];
});

export const mendRules: Readonly<Record<string, Rule>> = {
  'stock/mend-look': look,
  'stock/mend-keep': keep,
  'stock/mend-end': end,
  'stock/mend-mark': mark,
  'stock/mend-expiry': expiry,
  'stock/mend-watch': watch,
  'stock/mend-free': free,
  'stock/mend-unwatch': unwatch,
  'stock/mend-seat': seat,
  'stock/mend-count-begin': beginCount,
  'stock/mend-count': endCount,
  'stock/mend-behind': behind,
  'stock/mend-sale': saleFields,
};

/** `acknowledge` behind the fence: no file of its own. */
export const mendFollow = fenced(acknowledge);
