import { type Random, randomFrom } from '../../fuzz/random.ts';
import type { Kind } from '../any-call.ts';
import { groupsOf, msOf, unitsMax } from './moves.ts';
import { buyers, counted, moreSeats, type Plan, seats, skus } from './plan.ts';
import type { Command } from './rules.ts';
import { scriptNamed } from './rules.ts';
import { compact, type Hold, type Line, type State } from './state.ts';

// What a script is called with: mostly about what there is at that moment, sometimes about something else.

export interface Drawing {
  readonly random: Random;
  /** Redis is harmed between the scripts, and a count may be false. */
  readonly isHarmed: boolean;
  readonly limit: number;
  nowUs: number;
  epoch: number;
  version: number;
  plan: Plan | undefined;
  sent: number;
  made: number;
  last: Command | undefined;
}

export const holdMs = 300_000;
const startUs = 1_700_000_000_123_456;

export function drawingFrom(seed: number): Drawing {
  const random = randomFrom(seed);
  const limit = random.pick([0, 5, 8, 20]);
  return {
    random,
    isHarmed: random.chance(0.3),
    limit,
    nowUs: startUs,
    epoch: 0,
    version: 1,
    plan: undefined,
    sent: 0,
    made: 0,
    last: undefined,
  };
}

/** Version, control, window, limit and hold time of the sale's next copy, or of the one that is known. */
export function saleArgs({ random, nowUs, version, limit }: Drawing): string[] {
  const nowMs = msOf(nowUs);
  const control = random.weighted({ open: 12, paused: 1, closed: 1, cancelled: 1 });
  const opensAtMs = random.chance(0.9) ? nowMs - 3_600_000 : nowMs + 60_000;
  const closesAtMs = random.chance(0.9) ? nowMs + 36_000_000 : nowMs - 1;
  return [version, control, opensAtMs, closesAtMs, limit, holdMs].map(String);
}

const linesOf = (hold: Hold): string[][] =>
  hold.lines
    .filter(({ serials, seats: places }) => (serials ?? places ?? []).length > 0)
    .map((line) => [line.sku, line.seats ? `@${line.seats.join(',')}` : compact(line.serials ?? [])]);

class Arguments {
  readonly state: State;
  readonly drawing: Drawing;
  readonly random: Random;
  readonly hold: { readonly id: string; readonly hold: Hold } | undefined;
  readonly buyerId: string;

  constructor(state: State, drawing: Drawing) {
    [this.state, this.drawing, this.random] = [state, drawing, drawing.random];
    const holds = [...state.holds].filter(([id]) => !id.startsWith('cart-')).map(([id, hold]) => ({ id, hold }));
    const live = holds.filter(({ hold }) => hold.state !== 'E');
    const subjects = live.length > 0 && this.random.chance(0.85) ? live : holds;
    this.hold = subjects.length > 0 && this.random.chance(0.95) ? this.random.pick(subjects) : undefined;
    this.buyerId = this.hold?.hold.buyerId ?? this.random.pick(buyers);
  }

  some<T>(from: readonly T[], most: number): T[] {
    return from.filter(() => this.random.chance(0.4)).slice(0, most);
  }
  someSeats(most = 3): string[] {
    const all = [...seats, ...moreSeats].filter((seat) => this.state.seats.has(`hall|${seat}`));
    return all.length === 0 ? [] : [...new Set([this.random.pick(all), ...this.some(all, most - 1)])];
  }
  someSerials(sku: string, most = 4): number[] {
    const total = counted.find((each) => each.sku === sku)?.total ?? 6;
    const all = Array.from({ length: total }, (_, index) => index + 1);
    return [...new Set([this.random.pick(all), ...this.some(all, most - 1)])].sort((one, other) => one - other);
  }
  units(sku: string, most = 4): string {
    return sku === 'hall' ? `@${this.someSeats(most).join(',') || 'A-1'}` : compact(this.someSerials(sku, most));
  }
  wanted(sku: string): string {
    const isSeats = (sku === 'hall') !== this.random.chance(0.02);
    if (isSeats) return `@${(this.random.chance(0.03) ? ['Z-9'] : this.someSeats(this.random.chance(0.1) ? 6 : 2)).join(',') || 'Z-9'}`;
    return String(1 + this.random.int(this.random.chance(0.1) ? 14 : 3));
  }
  somePairs(value: (sku: string) => string, unknown = 0): string[] {
    const chosen = this.random.chance(unknown) ? ['cap'] : this.some(skus, 3);
    return (chosen.length === 0 ? [this.random.pick(skus)] : chosen).flatMap((sku) => [sku, value(sku)]);
  }
  /** What a buyer asks for: at most as many units as a hold takes. */
  asking(): string[] {
    const pairs = this.somePairs((sku) => this.wanted(sku), 0.02);
    const sizes = groupsOf(pairs, 0, 2).map(([, text = '']) => (text.startsWith('@') ? text.split(',').length : Number(text)));
    return sizes.reduce((sum, size) => sum + size, 0) > unitsMax ? pairs.slice(0, 2) : pairs;
  }
  bornUs(): string {
    return String((this.hold?.hold.bornUs ?? this.drawing.nowUs) + (this.random.chance(0.8) ? 0 : this.random.pick([-1, 1])));
  }
  epoch(): string {
    return String((this.state.sale?.epoch ?? 1) + (this.random.chance(0.95) ? 0 : 1));
  }
  holdId(): string {
    return this.hold?.id ?? this.lostId();
  }
  /** An id is of one buyer: it is made of who calls. */
  lostId(): string {
    return `lost-${this.buyerId}-${this.random.int(3)}`;
  }
  expiresAtMs(): string {
    return String(this.hold?.hold.expiresAtMs ?? msOf(this.drawing.nowUs));
  }
  /** Of a hold that is to come, or of one that is there and asked for again. */
  request(): [holdId: string, buyerId: string, payloadHash: string] {
    if (!this.hold || this.random.chance(0.8)) return [`hold-${this.drawing.made++}`, this.buyerId, this.random.pick(['p', 'p', 'q'])];
    return [this.hold.id, this.buyerId, this.random.chance(0.9) ? this.hold.hold.payloadHash : 'other'];
  }
}

/** What rows say of the order's units: mostly what its hold has, or more, or less, or others. */
function orderLines(a: Arguments): string[] {
  const own = a.hold ? linesOf(a.hold.hold) : [];
  if (own.length > 0 && a.random.chance(0.6)) return own.flat();
  return a.somePairs((sku) => a.units(sku, 4));
}

function order(a: Arguments, id = a.random.chance(0.9) ? a.holdId() : a.lostId()): string[] {
  const { hold } = a.hold ?? {};
  const slots = a.random.chance(0.7) ? (hold?.slots ?? 0) : a.random.int(32);
  const standing = a.random.weighted({ live: 5, confirmed: 3, ended: 2, retired: 1 });
  const hash = a.random.chance(0.8) ? (hold?.payloadHash ?? 'p') : 'p';
  return [id, a.buyerId, hash, a.bornUs(), a.expiresAtMs(), String(slots), standing, ...orderLines(a)];
}

/** What the hold's order wants, which may be more than the hold has, and what others own of it. */
function swapping(a: Arguments): string[] {
  const own: readonly Line[] = a.hold?.hold.lines ?? [];
  const others = skus.filter((sku) => !own.some((line) => line.sku === sku) && a.random.chance(0.1)).map((sku): Line => ({ sku }));
  const lines = own.length + others.length > 0 ? [...own, ...others] : [{ sku: 'tee' }];
  const asked = lines.map((line) => ({ line, wanted: wantedAgain(a, line) }));
  const units = asked.reduce((sum, { wanted }) => sum + wanted.size, 0);
  if (units > unitsMax) return [a.lostId(), a.bornUs(), 'tee', '1', ''];
  return [a.holdId(), a.bornUs(), ...asked.flatMap(({ line, wanted }) => [line.sku, wanted.text, ownedOf(a, line)])];
}

function wantedAgain(a: Arguments, { sku, serials = [], seats: places = [] }: Line): { size: number; text: string } {
  if (sku === 'hall') {
    const names = places.length > 0 && a.random.chance(0.8) ? places : a.someSeats(2);
    return { size: Math.max(1, names.length), text: `@${names.join(',') || 'A-1'}` };
  }
  const size = serials.length > 0 && a.random.chance(0.8) ? serials.length : 1 + a.random.int(3);
  return { size, text: String(size) };
}

function ownedOf(a: Arguments, { sku, serials = [], seats: places = [] }: Line): string {
  if (a.random.chance(0.2)) return '';
  if (sku !== 'hall') return ownedRun(a, sku, serials);
  return `@${[...new Set([...a.some(places, 2), ...a.someSeats(2)])].join(',') || 'A-1'}`;
}

/** Units that rows name: some of the hold's, and maybe a run of those to come. */
function ownedRun(a: Arguments, sku: string, serials: readonly number[]): string {
  const next = a.state.items.get(sku)?.next ?? 1;
  const ahead = a.random.chance(0.3) ? Array.from({ length: 1 + a.random.int(3) }, (_, index) => next + index) : [];
  return compact(new Set([...a.some(serials, 3), ...ahead, ...(a.random.chance(0.3) ? a.someSerials(sku, 2) : [])]));
}

const watched = (a: Arguments): string[] => {
  const slots = String(1 + a.random.int(31));
  return [
    ...['tee', 'tee-2'].filter(() => a.random.chance(0.6)).flatMap((sku) => [`u${sku}`, compact(a.someSerials(sku, 8))]),
    ...[`b${a.random.pick(buyers)}`, slots],
  ];
};

/** What is really there, unless the sequence is one that harms. */
function countedNow(a: Arguments, sku: string): string[] {
  const places = [...a.state.seats].filter(([place]) => place.startsWith(`${sku}|`));
  const free = sku === 'hall' ? places.filter(([, owner]) => owner === '').length : (a.state.free.get(sku)?.size ?? 0);
  const wrong = a.drawing.isHarmed && a.random.chance(0.2) ? a.random.int(3) : 0;
  return [sku === 'hall' ? String(places.length) : '0', String(free + wrong)];
}

const token = (a: Arguments) => `token-${a.random.int(2)}`;
const shard = (a: Arguments) => String(a.random.int(3));
const cartId = (a: Arguments) => `cart-${a.buyerId}`;

/** All there is of an item, or nearly: together more than a cart takes. */
const most: Readonly<Record<string, string>> = { tee: '13', 'tee-2': '5', hall: `@${seats.join(',')}` };

const special: Readonly<Record<string, (a: Arguments) => string[]>> = {
  'stock/reserve': (a) => [...a.request(), ...a.asking()],
  'stock/peek': (a) => [a.buyerId, ...a.asking()],
  'stock/acknowledge': (a) => order(a),
  'stock/mend-follow': (a) => [a.epoch(), ...order(a)],
  'stock/swap': swapping,
  'stock/take-expired': (a) => [String(1 + a.random.int(3)), String(1 + a.random.int(600_000))],
  'stock/mend-allowance': (a) => [a.holdId(), a.bornUs(), String(a.random.int(32))],
  'stock/suspects': (a) => [String(1 + a.random.int(6)), ...after(a)],
  'stock/return-suspects': (a) => a.somePairs((sku) => a.units(sku, 8)),
  'stock/update': (a) => [...nextCopy(a), ...totals(a)],
  'stock/mend-sale': (a) => [
    a.epoch(),
    ...saleArgs({ ...a.drawing, version: (a.state.sale?.version ?? 1) + (a.random.chance(0.9) ? 0 : 1) }),
    ...totals(a),
  ],
  'stock/add-seats': (a) => ['hall', [...new Set([a.random.pick([...seats, ...moreSeats]), ...a.some(moreSeats, 2)])].join(',')],
  'stock/seat-states': (a) => ['hall', [...a.someSeats(6).filter((seat) => seat !== 'Z-9'), 'Z-9'].join(',')],
  'stock/cart-set': (a) => {
    const sku = a.random.chance(0.01) ? 'cap' : a.random.pick(skus);
    const isGreedy = a.drawing.limit === 0 && a.random.chance(0.3);
    return [cartId(a), a.buyerId, sku, isGreedy ? (most[sku] ?? '1') : a.wanted(sku)];
  },
  'stock/cart-drop': (a) => [cartId(a), a.random.pick([...skus, ''])],
  'stock/cart-checkout': (a) => [...a.request(), cartId(a)],
  'stock/mend-look': (a) => [
    a.epoch(),
    a.holdId(),
    a.buyerId,
    ...(a.random.chance(0.1) ? [] : a.somePairs((sku) => (sku === 'hall' ? '@A-1,C-1,3-5' : a.units(sku)))),
  ],
  'stock/mend-keep': (a) => [a.epoch(), a.holdId(), ...orderLines(a)],
  'stock/mend-end': (a) => [
    a.epoch(),
    a.holdId(),
    a.bornUs(),
    String(a.random.int(4)),
    ...(a.random.chance(0.5) ? [] : ['tee', a.units('tee', 6)]),
  ],
  'stock/mend-mark': (a) => [a.epoch(), a.random.chance(0.7) ? a.lostId() : a.holdId(), a.buyerId, 'p', a.bornUs(), a.expiresAtMs()],
  'stock/mend-expiry': (a) => [
    a.epoch(),
    a.holdId(),
    a.bornUs(),
    a.hold && 'HAC'.includes(a.hold.hold.state) ? a.hold.hold.state : a.random.pick(['H', 'A', 'C']),
  ],
  'stock/mend-unwatch': (a) => [a.epoch(), token(a), ...['tee', 'tee-2'].filter(() => a.random.chance(0.7)), 'cap'],
  'stock/shard-lend': (a) => [shard(a), a.random.pick(['tee', 'tee-2']), String(1 + a.random.int(4))],
  'stock/shard-receive': (a) => {
    const seq = (a.state.received.get('1') ?? a.drawing.nowUs) + a.random.int(3);
    // Also units that are here: a donor that fell back behind a loan has them once more, and lends them again.
    const units = a.random.chance(0.05) ? '90-95' : a.units('tee', 6);
    return [a.random.chance(0.8) ? '1' : shard(a), String(seq), 'tee', units];
  },
  'stock/shard-settle': (a) => {
    const [to = '0', { seq } = { seq: 1 }] = a.random.pick([...a.state.lent, ['0', { seq: 1 }] as const]);
    return [to, String(seq + (a.random.chance(0.9) ? 0 : 1))];
  },
  'stock/shard-supply': (a) => {
    const total = (a.state.items.get('tee')?.total ?? 14) + (a.random.chance(0.9) ? 0 : 1);
    // Also such as are here: those of an order that came before the restock was heard of.
    const [more, size] = [1 + a.random.int(3), a.random.int(3)];
    return [
      'tee',
      String(total),
      String(total + more + 1),
      ...(size === 0 ? [] : [String(total + 1), String(total + Math.min(size, more))]),
    ];
  },
  'stock/shard-drop': (a) => ['tee', a.units('tee', 5), ...(a.random.chance(0.5) ? ['tee-2', a.units('tee-2', 5)] : [])],
  'stock/mend-watch': (a) => [a.epoch(), token(a), ...watched(a)],
  'stock/mend-free': (a) => [a.epoch(), token(a), ...watched(a)],
  'stock/mend-seat': (a) => {
    const name = a.random.pick(seats);
    return [a.epoch(), 'hall', name, a.state.seats.get(`hall|${name}`) || a.random.pick(['?', '-', 'hold-1'])];
  },
  'stock/mend-count-begin': (a) => [a.epoch(), a.random.pick(skus), token(a)],
  'stock/mend-count': (a) => {
    const marked = [...a.state.items].find(([, item]) => item.mark !== undefined);
    const sku = marked && a.random.chance(0.8) ? marked[0] : a.random.pick(skus);
    return [a.epoch(), sku, marked?.[1].mark && a.random.chance(0.9) ? marked[1].mark : token(a), ...countedNow(a, sku)];
  },
  'stock/mend-behind': (a) => [a.epoch(), a.random.pick(['set', 'begin', 'end']), token(a)],
};

function after(a: Arguments): [string, string] {
  const sku = a.random.pick(['', ...skus]);
  if (sku === '') return ['', ''];
  return [sku, sku === 'hall' ? a.random.pick(seats) : String(a.random.int(15))];
}

/** Mostly a copy of the next version. */
function nextCopy(a: Arguments): string[] {
  if (a.random.chance(0.8)) a.drawing.version++;
  const version = a.random.chance(0.2) ? Math.max(1, a.drawing.version - 1 - a.random.int(2)) : a.drawing.version;
  return saleArgs({ ...a.drawing, version });
}
const totals = (a: Arguments) => ['tee', String(12 + a.random.int(6)), 'tee-2', '6', 'hall', '6'];

const plain: Partial<Record<Kind, (a: Arguments) => string>> = {
  word: (a) => `owner-${a.random.int(2)}`,
  ms: () => '3600000',
  holdId: (a) => a.holdId(),
  cartId,
  bornUs: (a) => a.bornUs(),
  cause: (a) => a.random.pick(['order', 'tombstone']),
  count: (a) => String(1 + a.random.int(3)),
};

export function argumentsFor(name: string, state: State, drawing: Drawing): string[] {
  const a = new Arguments(state, drawing);
  const drawn = special[name];
  return drawn ? drawn(a) : scriptNamed(name).args.map((kind) => plain[kind]?.(a) ?? '');
}
