import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  edgesAhead,
  isOn,
  levelAt,
  neededLevel,
  nothingWarm,
  type Prewarm,
  schedulePrecisionMs,
  spanOf,
  tableLeadMs,
} from '../../../functions/capacity/capacity.model.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const opensAtMs = Date.UTC(2026, 10, 27, 9);

const wants: Prewarm = {
  ...{ concurrency: 100, concurrencyMax: 250, writeUnits: 10_000, writeUnitsMax: 25_000 },
  ...{ leadMinutes: 15, graceMinutes: 5, hoursMax: 6 },
};
const sale = { control: 'open' as const, opensAtMs, closesAtMs: opensAtMs + hourMs };
const level = (atMs: number, sales: Parameters<typeof levelAt>[0] = [sale], of = wants) => levelAt(sales, of, atMs);

describe('the level of a sale', () => {
  it('is there from its lead until after it has closed, and not a moment longer', () => {
    const [fromMs, untilMs] = [opensAtMs - 15 * minuteMs, sale.closesAtMs + 5 * minuteMs];
    expect(level(fromMs - 1).concurrency).toBe(0);
    expect(level(fromMs).concurrency).toBe(100);
    expect(level(untilMs - 1).concurrency).toBe(100);
    expect(level(untilMs)).toEqual(nothingWarm);
  });

  it('asks the tables a day ahead, because nobody says how long they take', () => {
    expect(level(opensAtMs - tableLeadMs - 1)).toEqual(nothingWarm);
    expect(level(opensAtMs - tableLeadMs)).toEqual({ concurrency: 0, writeUnits: 10_000 });
  });

  it('ends some hours after its opening, however long the sale goes on', () => {
    const endless = { ...sale, closesAtMs: Date.UTC(2285, 0) };
    expect(level(opensAtMs + 6 * hourMs - 1, [endless]).concurrency).toBe(100);
    expect(level(opensAtMs + 6 * hourMs, [endless])).toEqual(nothingWarm);
  });

  it('is nothing once an operator has closed it, also one that was called off before it opened', () => {
    expect(level(opensAtMs, [{ ...sale, control: 'closed' }])).toEqual(nothingWarm);
  });

  it('stays while it is paused: it may be opened at any moment', () => {
    expect(level(opensAtMs, [{ ...sale, control: 'paused' }]).concurrency).toBe(100);
  });

  it('is there at once for a sale that was made after its lead had begun', () => {
    expect(level(opensAtMs - minuteMs).concurrency).toBe(100);
  });
});

describe('the level of several sales', () => {
  it('adds up, for each brings a crowd of its own, to what the deployment allows', () => {
    expect(level(opensAtMs, [sale, sale])).toEqual({ concurrency: 200, writeUnits: 20_000 });
    expect(level(opensAtMs, [sale, sale, sale])).toEqual({ concurrency: 250, writeUnits: 25_000 });
  });

  it('is nothing where nobody asked', () => {
    const off = { ...wants, concurrency: 0, writeUnits: 0 };
    expect([isOn(off), isOn({ ...off, writeUnits: 1 })]).toEqual([false, true]);
    expect(level(opensAtMs, [sale], off)).toEqual(nothingWarm);
    expect(edgesAhead(sale, off, 0)).toEqual({});
  });
});

const anyWants = fc.record({
  concurrency: fc.integer({ min: 0, max: 5 }),
  concurrencyMax: fc.integer({ min: 1, max: 12 }),
  writeUnits: fc.integer({ min: 0, max: 5 }),
  writeUnitsMax: fc.integer({ min: 1, max: 12 }),
  leadMinutes: fc.integer({ min: 10, max: 2_000 }),
  graceMinutes: fc.integer({ min: 0, max: 60 }),
  hoursMax: fc.integer({ min: 1, max: 48 }),
});
const anySale = fc
  .record({
    control: fc.constantFrom('open', 'paused', 'closed'),
    opens: fc.integer({ min: 0, max: 5_000 }),
    lasts: fc.integer({ min: 1, max: 5_000 }),
  })
  .map(({ control, opens, lasts }) => ({
    control,
    opensAtMs: opensAtMs + opens * minuteMs,
    closesAtMs: opensAtMs + (opens + lasts) * minuteMs,
  }));

describe('the schedules of all sales', () => {
  it('stand at every moment at which the level rises or environments are given back, so no run between them is needed', () => {
    fc.assert(
      fc.property(fc.array(anySale, { maxLength: 4 }), anyWants, fc.integer({ min: -3_000, max: 9_000 }), (sales, of, at) => {
        const nowMs = opensAtMs + at * minuteMs;
        const edges = sales.flatMap((each) => Object.values(edgesAhead(each, of, nowMs)));
        const nextMs = Math.min(...edges, nowMs + 4_000 * minuteMs);
        const [now, before] = [level(nowMs, sales, of), level(nextMs - 1, sales, of)];
        // What a table has stays, and costs nothing: nobody is called for its end.
        expect(before.concurrency).toBe(now.concurrency);
        expect(before.writeUnits).toBeLessThanOrEqual(now.writeUnits);
        for (const edge of edges) expect(edge).toBeGreaterThan(nowMs);
      }),
    );
  });

  it('may call a minute early: what begins within it is there already, and nothing is given back before its time', () => {
    fc.assert(
      fc.property(fc.array(anySale, { maxLength: 4 }), anyWants, fc.integer({ min: -3_000, max: 9_000 }), (sales, of, at) => {
        const nowMs = opensAtMs + at * minuteMs;
        const needed = neededLevel(sales, of, nowMs);
        for (const moment of [nowMs, nowMs + schedulePrecisionMs]) {
          expect(needed.concurrency).toBeGreaterThanOrEqual(level(moment, sales, of).concurrency);
          expect(needed.writeUnits).toBeGreaterThanOrEqual(level(moment, sales, of).writeUnits);
        }
      }),
    );
  });

  it('end after they begin', () => {
    fc.assert(
      fc.property(anySale, anyWants, (one, of) => {
        const span = spanOf(one, of);
        if (span) expect(span.tablesFromMs <= span.fromMs && span.fromMs < span.untilMs).toBe(true);
        expect(span === undefined).toBe(one.control === 'closed');
      }),
    );
  });
});
