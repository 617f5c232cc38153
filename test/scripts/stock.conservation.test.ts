import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockLine } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { census, expectConserved, openSale, redisBench } from './stock.harness.ts';
import { callFor, count, history, items, limit, nothingTold, seats, stateOf, verbs } from './stock.histories.ts';

const bench = redisBench();
const open = () => openSale(bench, { items, perBuyerLimit: limit, holdSeconds: 0.001 }, new Map([['hall', seats]]));

const roundsMax = 12;
const swaps = ['swap SWAPPED', 'swap SEAT_TAKEN'];

describe('the stock of a sale', () => {
  it('keeps every unit in one place and every allowance right, whatever is done in whatever order, each thing twice', {
    timeout: 300_000,
  }, async () => {
    const taken = new Map<string, number>();
    const answers = new Map<string, number>();
    const property = fc.asyncProperty(history(30), async (steps) => {
      const { saleId } = await open();
      const told = nothingTold(answers);
      let found = await expectConserved(bench, saleId, limit);
      for (const [index, step] of steps.entries()) {
        const call = callFor(bench, saleId, found, told, step, `hold-${index}`);
        if (!call) continue;
        count(taken, step.verb);
        await call();
        found = await expectConserved(bench, saleId, limit, told.gone);
        const once = await stateOf(bench, saleId);
        await call();
        expect(await stateOf(bench, saleId), `${step.verb} twice`).toEqual(once);
      }
      await bench.redis.del(...Object.values(stockKeys(saleId)));
    });
    const reached = ['NOT_ACKNOWLEDGED', 'CONFIRMED', 'ALREADY_CONFIRMED', 'BUYER_LIMIT', 'BUYER_LIMIT behind', 'SEAT_TAKEN'];
    const met = () => verbs.every((verb) => taken.has(verb)) && [...reached, ...swaps].every((answer) => answers.has(answer));
    // Rare steps are missed by so many histories once in fifty times or so: then there are more of them.
    for (let round = 0; round === 0 || (round < roundsMax && !met()); round++) await fc.assert(property, { numRuns: 60 });
    // A property that never got to a verb would say nothing about it.
    expect([...taken.keys()].sort()).toEqual([...verbs].sort());
    expect([...answers.keys()]).toEqual(expect.arrayContaining([...reached, ...swaps]));
  });

  it('can be sold to the last unit and seat after any history, once every hold has ended, but for what was retired', async () => {
    await fc.assert(
      fc.asyncProperty(history(20), async (steps) => {
        const { saleId } = await open();
        const told = nothingTold();
        for (const [index, step] of steps.entries()) {
          await callFor(bench, saleId, await census(bench, saleId), told, step, `hold-${index}`)?.();
        }
        const { holds, items: places } = await census(bench, saleId);
        for (const hold of holds) await bench.stock.release(saleId, { ...hold, cause: 'order' });
        for (const [sku, { suspect }] of Object.entries(places)) {
          const line = { sku, units: suspect, ...(sku === 'hall' ? { seated: true as const } : {}) };
          if (suspect.length > 0) await bench.stock.returnSuspects(saleId, [line]);
        }
        let sold = 0;
        const buy = async (line: StockLine) => {
          const buyer = { holdId: `last-${++sold}`, buyerId: `buyer-${sold}`, payloadHash: 'p' };
          return bench.stock.reserve({ saleId, ...buyer, lines: [line] });
        };
        const behind = { behind: told.behind };
        for (const { sku, total, seated } of items) {
          const gone = told.gone.units.get(sku) ?? [];
          const each = seated ? [...seats, ...told.extraSeats].filter((seat) => !gone.includes(seat)) : Array(total - gone.length).fill('');
          for (const seat of each) {
            expect(await buy({ sku, quantity: 1, ...(seated ? { seats: [seat] } : {}) })).toMatchObject({ outcome: 'RESERVED' });
          }
          const refused = seated
            ? { outcome: 'SEAT_TAKEN', sku, seats: ['A-1'], ...behind }
            : { outcome: 'SOLD_OUT', sku, available: 0, ...behind };
          expect(await buy({ sku, quantity: 1, ...(seated ? { seats: ['A-1'] } : {}) })).toEqual(refused);
        }
        await expectConserved(bench, saleId, limit, told.gone);
      }),
      { numRuns: 30 },
    );
  });
});
