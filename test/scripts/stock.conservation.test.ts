import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { type Census, census, expectConserved, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();
const limit = 5;
const items = [
  { sku: 'tee', total: 14 },
  { sku: 'tee-2', total: 6 },
];
const buyers = ['ada', 'bob', 'eve'];

// A step names what it works on by numbers; they are taken modulo what there is when it runs.
const verbs = ['reserve', 'acknowledge', 'adopt', 'confirm', 'release', 'tombstone', 'swap', 'expire', 'return', 'mend'] as const;
const step = fc.record({
  // More of what others need first: a hold, and for a confirmation an acknowledged one.
  verb: fc.constantFrom(...(['reserve', 'reserve', 'acknowledge', 'confirm'] as const), ...verbs),
  pick: fc.nat(1_000),
  buyer: fc.nat(2),
  quantities: fc.tuple(fc.nat(4), fc.nat(3)),
  choose: fc.infiniteStream(fc.boolean()),
});
const history = (maxLength: number) => fc.array(step, { minLength: maxLength / 2, maxLength, size: 'max' });
type Step = Omit<typeof step extends fc.Arbitrary<infer S> ? S : never, 'choose'> & { choose: Iterator<boolean> };

const pickSome = <T>(from: readonly T[], { choose }: Step): T[] => from.filter(() => choose.next().value === true);
const slotsOf = (found: Census, buyerId: string) => found.holds.filter((hold) => hold.buyerId === buyerId).flatMap(({ slots }) => slots);
const stateOf = async (saleId: string) =>
  Promise.all([stockKeys(saleId).sale, stockKeys(saleId).free, stockKeys(saleId).suspects].map((key) => bench.redis.dumpBuffer(key)));

const holdNow = async (saleId: string, holdId: string) => (await census(bench, saleId)).holds.find((hold) => hold.holdId === holdId);

/** What the steps so far have told Redis, as the steps know it (it is not read back), and the answers that mattered, over all histories. */
interface Told {
  behind: boolean;
  readonly answers: Map<string, number>;
}
const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

/** What a confirmation must answer: only a hold that was compared with its order is confirmed. */
const confirmation = {
  held: 'NOT_ACKNOWLEDGED',
  acknowledged: 'CONFIRMED',
  confirmed: 'ALREADY_CONFIRMED',
  ended: 'ALREADY_ENDED',
} as const;

/** The call that a step stands for at this moment, or nothing if there is nothing to do it with. What it must answer is checked inside. */
function callFor(saleId: string, found: Census, told: Told, step: Step, freshId: string): (() => Promise<unknown>) | undefined {
  const { stock } = bench;
  const live = found.holds.filter(({ state }) => state !== 'ended');
  const hold = live[step.pick % Math.max(1, live.length)];
  switch (step.verb) {
    case 'reserve': {
      const lines = items.map(({ sku }, at) => ({ sku, quantity: step.quantities[at] ?? 0 })).filter(({ quantity }) => quantity > 0);
      const buyerId = buyers[step.buyer] ?? 'ada';
      if (lines.length === 0) return undefined;
      const wanted = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      const used = slotsOf(found, buyerId).length;
      const short = lines.find(({ sku, quantity }) => (found.items[sku]?.available ?? 0) < quantity);
      return async () => {
        const reply = await stock.reserve({ saleId, holdId: freshId, buyerId, payloadHash: 'p', lines });
        if (reply.outcome === 'RESERVED') {
          expect(reply.hold.slots).toHaveLength(wanted);
          expect(reply.hold.lines.map(({ sku, units }) => ({ sku, quantity: units.length }))).toEqual(lines);
          if (!reply.replayed) expect(used + wanted <= limit && !short, 'was to be refused').toBe(true);
          return;
        }
        count(told.answers, `${reply.outcome}${told.behind ? ' behind' : ''}`);
        if (used + wanted > limit) expect(reply).toEqual({ outcome: 'BUYER_LIMIT', limit, used, behind: told.behind });
        else {
          const available = found.items[short?.sku ?? '']?.available;
          expect(reply).toEqual({ outcome: 'SOLD_OUT', sku: short?.sku, available, behind: told.behind });
        }
      };
    }
    case 'acknowledge':
      return hold?.lines.every(({ units }) => units.length > 0) ? () => stock.acknowledge(saleId, hold, 'live') : undefined;
    case 'adopt': {
      // An order may have other units than the hold: those that nobody else has.
      const place = found.items.tee;
      if (!hold || !place) return undefined;
      const own = hold.lines.filter(({ sku }) => sku === 'tee').flatMap(({ units }) => units);
      const units = pickSome([...own, ...place.free, ...place.suspect, ...place.ahead], step).slice(0, limit);
      const others = slotsOf(found, hold.buyerId).filter((slot) => !hold.slots.includes(slot));
      const slots = [1, 2, 3, 4, 5].filter((slot) => !others.includes(slot)).slice(0, units.length);
      if (units.length === 0 || slots.length < units.length) return undefined;
      return async () => {
        expect(await stock.acknowledge(saleId, { ...hold, lines: [{ sku: 'tee', units }], slots }, 'confirmed')).toEqual({
          outcome: 'ACKNOWLEDGED',
        });
        expect(await holdNow(saleId, hold.holdId)).toMatchObject({
          slots,
          state: 'confirmed',
          lines: [{ sku: 'tee', units: [...units].sort((a, b) => Number(a) - Number(b)) }],
        });
      };
    }
    case 'confirm': {
      if (!hold) return undefined;
      let { state } = hold;
      return async () => {
        expect(await stock.confirm(saleId, hold.holdId)).toEqual({ outcome: confirmation[state] });
        count(told.answers, confirmation[state]);
        if (state === 'acknowledged') state = 'confirmed';
        expect(await holdNow(saleId, hold.holdId)).toEqual({ ...hold, state });
      };
    }
    case 'release':
    case 'tombstone':
      return hold && (() => stock.release(saleId, { ...hold, cause: step.verb === 'release' ? 'order' : 'tombstone' }));
    case 'swap': {
      if (!hold) return undefined;
      const owned = hold.lines.map(({ sku, units }) => {
        const place = found.items[sku];
        return { sku, units: pickSome([...units, ...(place?.free ?? []), ...(place?.ahead ?? [])], step) };
      });
      const lines = hold.lines.map(({ sku, units }) => ({ sku, quantity: Math.max(1, units.length) }));
      return async () => {
        const reply = await stock.swap(saleId, { ...hold, lines, owned });
        if (reply.outcome === 'SWAPPED' || reply.outcome === 'SOLD_OUT') told.behind ||= owned.some(({ units }) => units.length > 0);
        if (reply.outcome !== 'SWAPPED') return;
        expect(reply.lines.map(({ sku, units }) => ({ sku, quantity: units.length }))).toEqual(lines);
        for (const { sku, units } of reply.lines) {
          const taken = owned.find((line) => line.sku === sku)?.units ?? [];
          expect(
            units.filter((unit) => taken.includes(unit)),
            'owned units handed out',
          ).toEqual([]);
        }
      };
    }
    case 'mend':
      // Only slots that nobody uses may turn up, otherwise they would be counted twice here.
      if (!hold) return undefined;
      return async () => {
        const { outcome } = await stock.mendAllowance(saleId, { ...hold, usedSlots: [] });
        told.behind ||= outcome === 'MENDED' || outcome === 'BUYER_LIMIT';
      };
    case 'expire':
      return async () => {
        const taken = await stock.takeExpired(saleId, { limit: 10, retryMs: 1 });
        if (taken.outcome === 'DUE') for (const due of taken.holds) expect(found.holds).toContainEqual(due);
      };
    case 'return': {
      const units = pickSome(found.items.tee?.suspect ?? [], step);
      return units.length > 0 ? () => stock.returnSuspects(saleId, [{ sku: 'tee', units }]) : undefined;
    }
  }
}

describe('the stock of a sale', () => {
  it('keeps every unit in one place and every allowance right, whatever is done in whatever order, each thing twice', async () => {
    const taken = new Map<string, number>();
    const answers = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(history(30), async (steps) => {
        const { saleId } = await openSale(bench, { items, perBuyerLimit: limit, holdSeconds: 0.001 });
        const told = { behind: false, answers };
        let found = await expectConserved(bench, saleId, limit);
        for (const [index, { choose, ...rest }] of steps.entries()) {
          const call = callFor(saleId, found, told, { ...rest, choose: choose[Symbol.iterator]() }, `hold-${index}`);
          if (!call) continue;
          count(taken, rest.verb);
          await call();
          found = await expectConserved(bench, saleId, limit);
          const once = await stateOf(saleId);
          await call();
          expect(await stateOf(saleId), `${rest.verb} twice`).toEqual(once);
        }
        await bench.redis.del(...Object.values(stockKeys(saleId)));
      }),
      { numRuns: 60 },
    );
    // A property that never got to a verb would say nothing about it.
    expect([...taken.keys()].sort()).toEqual([...verbs].sort());
    const reached = ['NOT_ACKNOWLEDGED', 'CONFIRMED', 'ALREADY_CONFIRMED', 'BUYER_LIMIT', 'BUYER_LIMIT behind'];
    expect([...answers.keys()]).toEqual(expect.arrayContaining(reached));
  });

  it('can be sold to the last unit after any history, once every hold has ended', async () => {
    await fc.assert(
      fc.asyncProperty(history(20), async (steps) => {
        const { saleId } = await openSale(bench, { items, perBuyerLimit: limit, holdSeconds: 0.001 });
        const told: Told = { behind: false, answers: new Map() };
        for (const [index, { choose, ...rest }] of steps.entries()) {
          const found = await census(bench, saleId);
          await callFor(saleId, found, told, { ...rest, choose: choose[Symbol.iterator]() }, `hold-${index}`)?.();
        }
        const { holds, items: places } = await census(bench, saleId);
        for (const hold of holds) await bench.stock.release(saleId, { ...hold, cause: 'order' });
        for (const [sku, { suspect }] of Object.entries(places))
          if (suspect.length > 0) await bench.stock.returnSuspects(saleId, [{ sku, units: suspect }]);
        for (const { sku, total } of items) {
          for (let left = total; left > 0; left--) {
            const request = {
              saleId,
              holdId: `last-${sku}-${left}`,
              buyerId: `buyer-${sku}-${left}`,
              payloadHash: 'p',
              lines: [{ sku, quantity: 1 }],
            };
            expect(await bench.stock.reserve(request)).toMatchObject({ outcome: 'RESERVED' });
          }
          const request = { saleId, holdId: `over-${sku}`, buyerId: 'over', payloadHash: 'p', lines: [{ sku, quantity: 1 }] };
          expect(await bench.stock.reserve(request)).toEqual({ outcome: 'SOLD_OUT', sku, available: 0, behind: told.behind });
        }
        await expectConserved(bench, saleId, limit);
      }),
      { numRuns: 30 },
    );
  });
});
