import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NewSale } from '../../../functions/sales/sale.schemas.ts';
import { chunksPerChangeMax, packSeats, seatsPerItemMax, TooManySeats, unpackSeats } from '../../../functions/sales/seat.model.ts';
import { bodyBytesMax } from '../../../functions/shared/route.ts';

const itemBytesMax = 400 * 1024;
/** What DynamoDB counts of a name in a list: its letters and a byte. The rest is small and rounded up here. */
const bytesOf = (items: readonly { sku: string; seats: readonly string[] }[]) =>
  items.reduce((sum, { sku, seats }) => sum + sku.length + 40 + seats.reduce((names, name) => names + name.length + 1, 0), 100);

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
/** The shortest names there are, each another. */
function* shortNames(): Generator<string> {
  for (let before = ['']; ; before = before.flatMap((name) => [...alphabet].map((letter) => name + letter))) {
    for (const name of before) for (const letter of alphabet) yield name + letter;
  }
}

const seat = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
const sku = fc.oneof(fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/), fc.constantFrom('__proto__', 'constructor', '1', '0'));
const listOf = fc.uniqueArray(fc.tuple(sku, fc.uniqueArray(seat, { minLength: 1, maxLength: 60 })), {
  maxLength: 8,
  selector: ([name]) => name,
});

describe('packing seats', () => {
  it('loses none and keeps their order, whatever items and seats are called', () => {
    fc.assert(
      fc.property(listOf, fc.nat({ max: 100 }), (entries, after) => {
        const chunks = packSeats('sale', new Map(entries), after);
        expect(chunks.map(({ chunk }) => chunk)).toEqual(chunks.map((_, index) => after + index + 1));
        expect([...unpackSeats(chunks)]).toEqual(entries);
      }),
    );
  });

  it('goes on where a row is full, and never makes one that the database would refuse', () => {
    const seats = Array.from({ length: seatsPerItemMax }, (_, index) => String(index).padStart(32, 's'));
    const chunks = packSeats('sale', new Map([['hall', seats]]));
    expect(chunks.length).toBeGreaterThan(1);
    for (const { items } of chunks) expect(bytesOf(items)).toBeLessThan(itemBytesMax);
    expect(unpackSeats(chunks).get('hall')).toEqual(seats);
  });

  it('takes all that the largest request can name, and says so beyond it', () => {
    const names = shortNames();
    const items: { sku: string; seats: string[] }[] = [];
    let bytes = 200;
    // The shortest names of all items make the most names in a body.
    while (bytes < bodyBytesMax.operator && items.length < 50) {
      const item = { sku: `i${items.length}`, seats: [] as string[] };
      items.push(item);
      bytes += 30;
      while (bytes < bodyBytesMax.operator && item.seats.length < seatsPerItemMax) {
        const name = String(names.next().value);
        item.seats.push(name);
        bytes += name.length + 3;
      }
    }
    const chunks = packSeats('sale', new Map(items.map(({ sku, seats }) => [sku, seats])));
    expect(chunks.length).toBeLessThanOrEqual(chunksPerChangeMax);
    const tooMany = Array.from({ length: 100_000 }, (_, index) => String(index).padStart(32, 's'));
    expect(() => packSeats('sale', new Map([['hall', tooMany]]))).toThrow(TooManySeats);
  });
});

describe('the seats of a request', () => {
  const sale = (seats: string[]) => ({
    name: 'A',
    opensAt: '2026-01-01T00:00:00Z',
    closesAt: '2026-01-02T00:00:00Z',
    items: [{ sku: 'x', seats }],
  });

  it('are refused with the name of one that comes twice', () => {
    const parsed = NewSale.safeParse(sale(['A-1', 'B-2', 'C-3', 'B-2']));
    expect(parsed.error?.issues).toMatchObject([{ path: ['items', 0, 'seats'], message: expect.stringContaining('B-2') }]);
  });

  it('differ when only the case does', () => {
    expect(NewSale.safeParse(sale(['a-1', 'A-1'])).success).toBe(true);
  });
});
