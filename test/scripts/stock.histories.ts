import fc from 'fast-check';
import { expect } from 'vitest';
import type { Hold, HoldState, LineUnits, StockLine } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { type Bench, type Census, census } from './stock.harness.ts';

// Random histories of a sale with counted items and a seated one: each step is one call of a script, made of what there is at that moment.

export const limit = 5;
export const seats = ['A-1', 'A-2', 'A-3', 'B-1', '17', '3-5'];
export const items = [
  { sku: 'tee', total: 14 },
  { sku: 'hall', total: seats.length, seated: true },
  { sku: 'tee-2', total: 6 },
];
const buyers = ['ada', 'bob', 'eve'];

export const verbs = [
  ...(['reserve', 'acknowledge', 'adopt', 'confirm', 'release', 'tombstone', 'swap', 'expire', 'return', 'mend'] as const),
  ...(['retire', 'retire-unknown', 'retire-held', 'end-forgotten', 'update', 'add-seats'] as const),
] as const;
type Verb = (typeof verbs)[number];

// A step names what it works on by numbers; they are taken modulo what there is when it runs.
const step = fc.record({
  // More of what others need first: a hold, and for a confirmation an acknowledged one.
  verb: fc.constantFrom(...(['reserve', 'reserve', 'reserve', 'acknowledge', 'confirm'] as const), ...verbs),
  pick: fc.nat(1_000),
  buyer: fc.nat(2),
  quantities: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)),
  choose: fc.infiniteStream(fc.boolean()),
});
export const history = (maxLength: number) => fc.array(step, { minLength: maxLength / 2, maxLength, size: 'max' });
type Drawn = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Step = Omit<Drawn, 'choose'> & { choose: Iterator<boolean> };

/** What the steps so far have told Redis, as the steps know it (it is not read back), and the answers that mattered, over all histories. */
export interface Told {
  behind: boolean;
  version: number;
  readonly extraSeats: Set<string>;
  /** What no hold has and yet nobody can have: retired units, and slots of retired orders and of forgotten ones that Redis has learned of. */
  readonly gone: { readonly units: Map<string, string[]>; readonly slots: Map<string, number[]> };
  /** Orders without a hold, of which Redis has learned the slots. */
  readonly forgotten: Set<Hold>;
  readonly answers: Map<string, number>;
}
export const nothingTold = (answers = new Map<string, number>()): Told => ({
  ...{ behind: false, version: 1, extraSeats: new Set(), forgotten: new Set(), answers },
  gone: { units: new Map(), slots: new Map() },
});
export const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

type LiveHold = Hold & { readonly state: HoldState };
interface Moment {
  readonly bench: Bench;
  readonly saleId: string;
  readonly found: Census;
  readonly told: Told;
  readonly step: Step;
  readonly freshId: string;
  /** The hold that the step works on, if there is any. */
  readonly hold: LiveHold | undefined;
}
type Call = () => Promise<unknown>;

const pickSome = <T>(from: readonly T[], { choose }: Step): T[] => from.filter(() => choose.next().value === true);
const holdNow = async ({ bench, saleId }: Moment, holdId: string) =>
  (await census(bench, saleId)).holds.find((hold) => hold.holdId === holdId);

const slotsOf = ({ found, told }: Moment, buyerId: string) => [
  ...found.holds.filter((hold) => hold.buyerId === buyerId).flatMap(({ slots }) => slots),
  ...(told.gone.slots.get(buyerId) ?? []),
];
const freeSlots = (moment: Moment, buyerId: string) => [1, 2, 3, 4, 5].filter((slot) => !slotsOf(moment, buyerId).includes(slot));

/** The hold's lines without seats that an order has taken from it, and without lines that are empty then: what its order could have. */
const orderable = ({ found }: Moment, { holdId, lines }: Hold): LineUnits[] =>
  lines
    .map((line) => {
      const isStillIts = (unit: string) =>
        found.seats.some((seat) => seat.sku === line.sku && seat.seat === unit && seat.state === 'held' && seat.holdId === holdId);
      return line.seated ? { ...line, units: line.units.filter(isStillIts) } : line;
    })
    .filter(({ units }) => units.length > 0);

/** Units of `tee` and seats that no order has: an order may turn up that has some of them, and maybe some of `own`. */
function unowned({ found, step }: Moment, own: readonly LineUnits[], unitsMax: number): LineUnits[] {
  const ofOwn = (sku: string) => own.filter((line) => line.sku === sku).flatMap(({ units }) => units);
  const { tee, hall } = found.items;
  const waiting = new Set(found.holds.filter(({ state }) => state === 'held').map(({ holdId }) => holdId));
  const robbable = found.seats.flatMap((seat) => (seat.state === 'held' && waiting.has(seat.holdId) ? [seat.seat] : []));
  const names = new Set([...ofOwn('hall'), ...(hall?.free ?? []), ...(hall?.suspect ?? []), ...robbable]);
  const chosen = pickSome([...names], step).slice(0, 2);
  const serials = pickSome([...ofOwn('tee'), ...(tee?.free ?? []), ...(tee?.suspect ?? []), ...(tee?.ahead ?? [])], step);
  const units = serials.slice(0, Math.max(0, unitsMax - chosen.length)).sort((a, b) => Number(a) - Number(b));
  const lines: LineUnits[] = [
    { sku: 'tee', units },
    { sku: 'hall', units: chosen, seated: true },
  ];
  return lines.filter((line) => line.units.length > 0);
}

const unitsIn = (lines: readonly LineUnits[]) => lines.reduce((sum, { units }) => sum + units.length, 0);

function noteGone({ told }: Moment, lines: readonly LineUnits[], buyerId: string, slots: readonly number[]): void {
  for (const { sku, units } of lines) told.gone.units.set(sku, [...(told.gone.units.get(sku) ?? []), ...units]);
  told.gone.slots.set(buyerId, [...(told.gone.slots.get(buyerId) ?? []), ...slots]);
}

/** What a confirmation must answer: only a hold that was compared with its order is confirmed. */
const confirmation = {
  held: 'NOT_ACKNOWLEDGED',
  acknowledged: 'CONFIRMED',
  confirmed: 'ALREADY_CONFIRMED',
  ended: 'ALREADY_ENDED',
} as const;

/** The refusal that is due for want of stock, or nothing. */
function shortage({ found, told: { behind } }: Moment, lines: readonly StockLine[]) {
  for (const { sku, quantity, seats } of lines) {
    const { available = 0, free = [] } = found.items[sku] ?? {};
    const taken = seats?.filter((seat) => !free.includes(seat)) ?? [];
    if (taken.length > 0) return { outcome: 'SEAT_TAKEN', sku, seats: taken, behind };
    if (!seats && available < quantity) return { outcome: 'SOLD_OUT', sku, available, behind };
  }
  return undefined;
}

/** What the hold's buyer asked for, as far as the hold tells. */
const wantedBy = (hold: Hold, step: Step): StockLine[] =>
  hold.lines
    .map(({ sku, units, seated }): StockLine => {
      return seated ? { sku, quantity: units.length, seats: units } : { sku, quantity: Math.max(1, units.length) };
    })
    // A hold that lost all seats of a line can't ask for them again: it does not know them any more.
    .map((line) => (line.seats?.length === 0 ? { ...line, quantity: 1, seats: [seats[step.pick % seats.length] ?? ''] } : line));

/** What a step's verb does at this moment, or nothing if there is nothing to do it with. What must be answered is checked inside. */
const calls: Readonly<Record<Verb, (moment: Moment) => Call | undefined>> = {
  reserve: (moment) => {
    const { bench, saleId, told, step, freshId } = moment;
    const chosen = [...pickSome(seats, step), ...pickSome(seats, step)].slice(0, step.quantities[1]);
    const wanted: StockLine[] = items.map(({ sku, seated }, at) => {
      const names = [...new Set(chosen)];
      return seated ? { sku, quantity: names.length, seats: names } : { sku, quantity: step.quantities[at] ?? 0 };
    });
    const lines = wanted.filter(({ quantity }) => quantity > 0);
    if (lines.length === 0) return undefined;
    const buyerId = buyers[step.buyer] ?? 'ada';
    const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    const used = slotsOf(moment, buyerId).length;
    const short = shortage(moment, lines);
    return async () => {
      const reply = await bench.stock.reserve({ saleId, holdId: freshId, buyerId, payloadHash: 'p', lines });
      if (reply.outcome === 'RESERVED') {
        expect(reply.hold.slots).toHaveLength(units);
        expect(reply.hold.lines.map(({ sku, units }) => ({ sku, quantity: units.length }))).toEqual(
          lines.map(({ sku, quantity }) => ({ sku, quantity })),
        );
        for (const { sku, seats } of lines) if (seats) expect(reply.hold.lines).toContainEqual({ sku, units: seats, seated: true });
        if (!reply.replayed) expect(used + units <= limit && !short, 'was to be refused').toBe(true);
        return;
      }
      count(told.answers, `${reply.outcome}${told.behind ? ' behind' : ''}`);
      if (used + units > limit) expect(reply).toEqual({ outcome: 'BUYER_LIMIT', limit, used, behind: told.behind });
      else expect(reply).toEqual(short);
    };
  },
  acknowledge: (moment) => {
    const { bench, saleId, hold } = moment;
    const lines = hold ? orderable(moment, hold) : [];
    if (!hold || lines.length === 0) return undefined;
    return () => bench.stock.acknowledge(saleId, { ...hold, lines, slots: hold.slots.slice(0, unitsIn(lines)) }, 'live');
  },
  adopt: (moment) => {
    // An order may have other units than the hold: those that no other order has.
    const { bench, saleId, hold } = moment;
    if (!hold) return undefined;
    const lines = unowned(moment, orderable(moment, hold), limit);
    const slots = [...hold.slots, ...freeSlots(moment, hold.buyerId)].sort().slice(0, unitsIn(lines));
    if (lines.length === 0 || slots.length < unitsIn(lines)) return undefined;
    return async () => {
      expect(await bench.stock.acknowledge(saleId, { ...hold, lines, slots }, 'confirmed')).toEqual({ outcome: 'ACKNOWLEDGED' });
      expect(await holdNow(moment, hold.holdId)).toMatchObject({ slots, state: 'confirmed', lines });
    };
  },
  confirm: (moment) => {
    const { bench, saleId, told, hold } = moment;
    if (!hold || hold.state === 'cart') return undefined;
    let state: keyof typeof confirmation = hold.state;
    return async () => {
      expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: confirmation[state] });
      count(told.answers, confirmation[state]);
      if (state === 'acknowledged') state = 'confirmed';
      expect(await holdNow(moment, hold.holdId)).toEqual({ ...hold, state });
    };
  },
  release: ({ bench, saleId, hold }) => hold && (() => bench.stock.release(saleId, { ...hold, cause: 'order' })),
  tombstone: ({ bench, saleId, hold }) => hold && (() => bench.stock.release(saleId, { ...hold, cause: 'tombstone' })),
  swap: ({ bench, saleId, found, told, step, hold }) => {
    if (!hold) return undefined;
    const lines = wantedBy(hold, step);
    const owned = hold.lines.map((line): LineUnits => {
      const place = found.items[line.sku];
      return { ...line, units: pickSome([...line.units, ...(place?.free ?? []), ...(place?.ahead ?? [])], step) };
    });
    return async () => {
      const reply = await bench.stock.swap(saleId, { ...hold, lines, owned });
      if (reply.outcome === 'SWAPPED' || reply.outcome === 'SOLD_OUT' || reply.outcome === 'SEAT_TAKEN') {
        told.behind ||= owned.some(({ units }) => units.length > 0);
        count(told.answers, `swap ${reply.outcome}`);
      }
      if (reply.outcome !== 'SWAPPED') return;
      expect(reply.lines.map(({ sku, units }) => ({ sku, quantity: units.length }))).toEqual(
        lines.map(({ sku, quantity }) => ({ sku, quantity })),
      );
      for (const { sku, units } of reply.lines) {
        const taken = owned.find((line) => line.sku === sku)?.units ?? [];
        const handedOut = units.filter((unit) => taken.includes(unit));
        expect(handedOut, 'owned units handed out').toEqual([]);
      }
    };
  },
  mend: (moment) => {
    const { bench, saleId, told, step, hold, freshId } = moment;
    if (!hold) return undefined;
    // Only slots that nobody uses may turn up, otherwise they would be counted twice here.
    const { buyerId } = hold;
    const usedSlots = pickSome(freeSlots(moment, buyerId), step).slice(0, 2);
    const order = { ...hold, holdId: `forgotten-${freshId}`, lines: [{ sku: 'tee', units: ['1'] }], slots: usedSlots };
    let isKnown = usedSlots.length === 0;
    return async () => {
      const { outcome } = await bench.stock.mendAllowance(saleId, { ...hold, usedSlots });
      told.behind ||= outcome === 'MENDED' || outcome === 'BUYER_LIMIT';
      if (outcome === 'MENDED' && !isKnown) {
        noteGone(moment, [], buyerId, usedSlots);
        told.forgotten.add(order);
        isKnown = true;
      }
    };
  },
  'end-forgotten': ({ bench, saleId, told, step }) => {
    const order = [...told.forgotten][step.pick % Math.max(1, told.forgotten.size)];
    if (!order) return undefined;
    return async () => {
      expect(await bench.stock.acknowledge(saleId, order, 'ended')).toEqual({ outcome: 'ALREADY_ENDED' });
      told.forgotten.delete(order);
      const left = (told.gone.slots.get(order.buyerId) ?? []).filter((slot) => !order.slots.includes(slot));
      told.gone.slots.set(order.buyerId, left);
    };
  },
  expire:
    ({ bench, saleId, found }) =>
    async () => {
      const taken = await bench.stock.takeExpired(saleId, { limit: 10, retryMs: 1 });
      if (taken.outcome === 'DUE') for (const due of taken.holds) expect(found.holds).toContainEqual(due);
    },
  return: ({ bench, saleId, found, step }) => {
    const serials = pickSome(found.items.tee?.suspect ?? [], step);
    // Also seats that are under no suspicion, which must stay where they are.
    const names = pickSome(seats, step);
    const lines: LineUnits[] = [
      { sku: 'tee', units: serials },
      { sku: 'hall', units: names, seated: true },
    ];
    const some = lines.filter(({ units }) => units.length > 0);
    const returned = serials.length + names.filter((seat) => found.items.hall?.suspect.includes(seat)).length;
    let expected = returned;
    if (some.length === 0) return undefined;
    return async () => {
      expect(await bench.stock.returnSuspects(saleId, some)).toEqual({ outcome: 'RETURNED', count: expected });
      expected = 0;
    };
  },
  retire: (moment) => {
    const { bench, saleId, hold } = moment;
    const lines = hold ? orderable(moment, hold) : [];
    if (!hold || lines.length === 0) return undefined;
    const order = { ...hold, lines, slots: hold.slots.slice(0, unitsIn(lines)) };
    let outcome = 'RELEASED';
    return async () => {
      expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome });
      expect(await holdNow(moment, hold.holdId)).toMatchObject({ state: 'ended', lines: [], slots: [] });
      if (outcome === 'RELEASED') noteGone(moment, lines, hold.buyerId, order.slots);
      outcome = 'ALREADY_ENDED';
    };
  },
  'retire-unknown': (moment) => {
    const { bench, saleId, told, step, freshId } = moment;
    const buyerId = buyers[step.buyer] ?? 'ada';
    const lines = unowned(moment, [], 2);
    const slots = freeSlots(moment, buyerId).slice(0, unitsIn(lines));
    if (lines.length === 0 || slots.length < unitsIn(lines)) return undefined;
    const order = { holdId: freshId, buyerId, payloadHash: 'p', bornUs: 1, expiresAtMs: 1, lines, slots };
    let outcome = 'RELEASED';
    return async () => {
      expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome });
      if (outcome === 'RELEASED') noteGone(moment, lines, buyerId, slots);
      told.behind = true;
      outcome = 'ALREADY_ENDED';
    };
  },
  'retire-held': (moment) => {
    // Redis had forgotten the order and given its unit to a hold, which loses it to the row once the order is retired.
    const { bench, saleId, told, step, hold, freshId } = moment;
    const unit = hold?.lines.find(({ sku }) => sku === 'tee')?.units[0];
    const buyerId = buyers[step.buyer] ?? 'ada';
    const slots = freeSlots(moment, buyerId).slice(0, 1);
    if (hold?.state !== 'held' || unit === undefined || slots.length === 0) return undefined;
    const lines = [{ sku: 'tee', units: [unit] }];
    const order = { holdId: freshId, buyerId, payloadHash: 'p', bornUs: 1, expiresAtMs: 1, lines, slots };
    const wanted = wantedBy(hold, step);
    const isSwapped = step.quantities[0] > 0;
    let outcome = 'RELEASED';
    return async () => {
      expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome });
      if (isSwapped) await bench.stock.swap(saleId, { ...hold, lines: wanted, owned: lines });
      else await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
      expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'ALREADY_ENDED' });
      if (outcome === 'RELEASED') noteGone(moment, lines, buyerId, slots);
      told.behind = true;
      outcome = 'ALREADY_ENDED';
    };
  },
  update: ({ bench, saleId, told }) => {
    const version = told.version + 1;
    const nowMs = Date.now();
    const window = { opensAtMs: nowMs - 3_600_000, closesAtMs: nowMs + 3_600_000 };
    const copy = { saleId, epoch: 1, version, control: 'open' as const, ...window, perBuyerLimit: limit, holdSeconds: 0.001, items };
    return async () => {
      const { outcome } = await bench.stock.update(copy);
      expect(outcome).toBe(told.version < version ? 'UPDATED' : 'UP_TO_DATE');
      told.version = version;
    };
  },
  'add-seats': ({ bench, saleId, told, step }) => {
    const names = [...seats.slice(0, step.quantities[0]), `C-${step.quantities[1]}`, `C-${step.quantities[2] + 3}`];
    return async () => {
      const fresh = names.slice(-2).filter((seat) => !told.extraSeats.has(seat));
      for (const seat of fresh) told.extraSeats.add(seat);
      expect(await bench.stock.addSeats(saleId, 'hall', names)).toEqual({ outcome: 'ADDED', count: fresh.length });
    };
  },
};

/** The call that a step stands for at this moment, or nothing if there is nothing to do it with. */
export function callFor(bench: Bench, saleId: string, found: Census, told: Told, drawn: Drawn, freshId: string): Call | undefined {
  const { choose, ...rest } = drawn;
  const live = found.holds.filter(({ state }) => state !== 'ended');
  const hold = live[rest.pick % Math.max(1, live.length)];
  return calls[rest.verb]({ bench, saleId, found, told, step: { ...rest, choose: choose[Symbol.iterator]() }, freshId, hold });
}

/** All that Redis has of the sale's stock. (Not as it would dump it: the order of a large hash changes while it grows.) */
export async function stateOf({ redis }: Bench, saleId: string) {
  const { sale, free, suspects, seats } = stockKeys(saleId);
  const [hashes, pools] = [
    [sale, seats],
    [free, suspects],
  ];
  return Promise.all([...hashes.map((key) => redis.hgetall(key)), ...pools.map((key) => redis.zrangebylex(key, '-', '+'))]);
}
