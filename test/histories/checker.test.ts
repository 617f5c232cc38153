import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './linearizable.ts';
import { heldTwice } from './ownership.ts';
import { after, type Effect, isOptional, type Operation, type Stock } from './stock-object.ts';

const never = Number.POSITIVE_INFINITY;
const stockOf = (free: number): Stock => ({ free, owned: new Set() });
const take = (...units: string[]): Effect => ({ kind: 'take', units, unnamed: 0 });
const give = (...units: string[]): Effect => ({ kind: 'give', units, unnamed: 0 });
const soldOut = (wanted: number, free?: number): Effect => ({ kind: 'sold-out', wanted, free });
const read = (free: number): Effect => ({ kind: 'read', free });
const op = (invokedMs: number, respondedMs: number, effect: Effect): Operation => ({ label: '', effect, invokedMs, respondedMs });

describe('a history is refused', () => {
  const wrong: [string, number, Operation[]][] = [
    ['in which one unit is sold twice, one after the other', 2, [op(0, 1, take('1')), op(2, 3, take('1'))]],
    ['in which one unit is sold twice at once', 2, [op(0, 9, take('1')), op(1, 8, take('1'))]],
    ['in which more is sold than there is', 1, [op(0, 9, take('1')), op(1, 8, take('2'))]],
    ['in which a unit is sold again before it can have come back', 1, [op(0, 1, take('1')), op(2, 3, take('1')), op(4, 9, give('1'))]],
    ['in which somebody is refused while enough was free all the time', 2, [op(0, 1, take('1')), op(2, 3, soldOut(1))]],
    ['in which a refusal names another number of free units than there were', 3, [op(0, 1, take('1', '2')), op(2, 3, soldOut(2, 0))]],
    ['in which a reading forgets an answered sale', 3, [op(0, 1, take('1')), op(2, 3, read(3))]],
    ['in which a reading knows of a sale that began after it', 3, [op(0, 1, read(2)), op(2, 3, take('1'))]],
    ['in which two readings go back in time', 3, [op(0, 9, take('1')), op(1, 2, read(2)), op(3, 4, read(3))]],
    ['in which a seat is said to be taken that nobody has', 2, [op(0, 1, { kind: 'taken', units: ['A-1'] })]],
    ['in which units come back that nobody had', 2, [op(0, 1, give('1')), op(2, 3, read(3))]],
    ['in which a unit comes back twice', 2, [op(0, 1, take('1')), op(2, 3, give('1')), op(2, 3, give('1')), op(4, 5, read(2))]],
    ['in which a restock adds twice', 1, [op(0, 1, { kind: 'grow', by: 1 }), op(2, 3, read(3))]],
    ['in which a cart and an order have the last unit', 1, [op(0, 1, { kind: 'take', units: [], unnamed: 1 }), op(2, 3, take('1'))]],
    [
      'in which the units of a cart become those of an order that has them',
      2,
      [op(0, 1, take('1')), op(0, 1, { kind: 'take', units: [], unnamed: 1 }), op(2, 3, { kind: 'name', units: ['1'] })],
    ],
  ];
  it.each(wrong)('%s', (_, free, history) => {
    expect(decide(history, stockOf(free)).outcome).toBe('impossible');
  });
});

describe('a history is explained', () => {
  const right: [string, number, Operation[]][] = [
    ['in which a reading falls before a sale that was under way', 3, [op(0, 9, take('1')), op(1, 2, read(3)), op(3, 4, read(2))]],
    ['in which somebody is refused because of a sale that is answered later', 1, [op(0, 9, take('1')), op(1, 2, soldOut(1))]],
    [
      'in which a unit comes back late, and a refusal does not know it yet',
      1,
      [op(0, 1, take('1')), op(2, 60, give('1')), op(3, 4, soldOut(1))],
    ],
    ['in which a unit that may have come back is sold again', 1, [op(0, 1, take('1')), op(2, never, give('1')), op(3, 4, take('1'))]],
    ['in which what may have come back has not', 1, [op(0, 1, take('1')), op(2, never, give('1')), op(3, 4, soldOut(1))]],
    [
      'in which a cart is checked out',
      2,
      [op(0, 1, { kind: 'take', units: [], unnamed: 2 }), op(2, 3, { kind: 'name', units: ['1', '2'] })],
    ],
  ];
  it.each(right)('%s', (_, free, history) => {
    expect(decide(history, stockOf(free)).outcome).toBe('linearizable');
  });
});

it('says that nothing is known of a history that is too long to decide', () => {
  const history = Array.from({ length: 12 }, (_, index) => op(0, 100, take(String(index))));
  expect(decide([...history, op(200, 201, read(1))], stockOf(12), 50).outcome).toBe('undecided');
});

/** Every order of the operations, without any cleverness: what the search must agree with. */
function isExplained(history: readonly Operation[], stock: Stock): boolean {
  if (history.every(isOptional)) return true;
  return history.some((next, index) => {
    const others = history.filter((_, other) => other !== index);
    const isTooEarly = others.some((other) => !isOptional(other) && other.respondedMs < next.invokedMs);
    const changed = isTooEarly ? undefined : after(stock, next.effect);
    return changed !== undefined && isExplained(others, changed);
  });
}

const unit = fc.constantFrom('1', '2', '3');
const anyEffect: fc.Arbitrary<Effect> = fc.oneof(
  unit.map((name) => take(name)),
  unit.map((name) => give(name)),
  fc.nat({ max: 3 }).map(read),
  fc.record({ kind: fc.constant('sold-out' as const), wanted: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ kind: fc.constant('grow' as const), by: fc.constant(1) }),
);
const anyOperation = fc
  .record({ invokedMs: fc.nat({ max: 8 }), lastsMs: fc.oneof(fc.nat({ max: 6 }), fc.constant(never)), effect: anyEffect })
  .map(({ invokedMs, lastsMs, effect }) => op(invokedMs, invokedMs + lastsMs, effect));

it('is right about any short history, as trying all orders shows', () => {
  const counts = { linearizable: 0, impossible: 0, undecided: 0 };
  fc.assert(
    fc.property(fc.array(anyOperation, { maxLength: 6 }), (history) => {
      const { outcome } = decide(history, stockOf(2));
      counts[outcome]++;
      expect(outcome).toBe(isExplained(history, stockOf(2)) ? 'linearizable' : 'impossible');
    }),
    { numRuns: 2_000 },
  );
  // Otherwise it would have agreed about nothing.
  expect(Math.min(counts.linearizable, counts.impossible)).toBeGreaterThan(100);
});

/** What a right stock answers when its operations happen in this order, each seen as lasting a little before and after. */
function sawnOff(steps: readonly { units: number; back: boolean; beforeMs: number; afterMs: number }[]): Operation[] {
  let stock = stockOf(4);
  const held: string[][] = [];
  let named = 0;
  return steps.map(({ units, back, beforeMs, afterMs }, index) => {
    const atMs = index * 10;
    const gone = back ? held.shift() : undefined;
    const wanted = Array.from({ length: units }, () => String(++named));
    const effect = gone ? give(...gone) : stock.free >= units ? take(...wanted) : soldOut(units, stock.free);
    if (effect.kind === 'take') held.push(wanted);
    stock = after(stock, effect) ?? stock;
    return op(atMs - beforeMs, atMs + afterMs, effect);
  });
}

it('explains whatever a right stock answered, however long its answers were on their way', () => {
  const step = fc.record({
    units: fc.integer({ min: 1, max: 3 }),
    back: fc.boolean(),
    beforeMs: fc.nat({ max: 40 }),
    afterMs: fc.nat({ max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      expect(decide(sawnOff(steps), stockOf(4)).outcome).toBe('linearizable');
    }),
    { numRuns: 300 },
  );
});

describe('a unit that two orders have at one moment', () => {
  const had = (orderId: string, fromMs: number, untilMs: number, name = '1') => ({ unit: name, orderId, fromMs, untilMs });

  it('is found, also between others', () => {
    const found = heldTwice([had('a', 0, 5), had('b', 5, 9), had('c', 8, never), had('d', 20, 21, '2')]);
    expect(found.map(({ first, second }) => [first.orderId, second.orderId])).toEqual([['b', 'c']]);
    expect(heldTwice([had('a', 0, never), had('b', 1, 2), had('c', 3, 4)])).toHaveLength(2);
  });

  it('is not seen where one had it after the other, or may never have had it', () => {
    expect(heldTwice([had('a', 0, 5), had('b', 5, 9), had('a', 10, 11), had('c', 7, 6)])).toEqual([]);
  });
});
