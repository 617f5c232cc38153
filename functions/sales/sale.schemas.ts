import * as z from 'zod';
import { SaleId, Seat, Sku } from '../shared/ids.ts';
import { Currency, PriceMinor } from '../shared/money.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import { Line } from '../shared/text.ts';
import { isSharded, shardsMax } from '../stock/shards.model.ts';
import { unitsPerItemMax } from './control.model.ts';
import { seatsPerItemMax } from './seat.model.ts';

/** 13 digits of milliseconds: what the stock scripts take. */
const momentMsMax = 9_999_999_999_999;

const Moment = z.iso
  .datetime({ offset: true, error: 'must be a time by RFC 3339, such as 2026-11-27T09:00:00Z' })
  .transform((text) => Date.parse(text))
  .refine((ms) => ms >= 0 && ms <= momentMsMax, 'must lie between 1970 and 2286')
  .meta({ description: 'RFC 3339, from 1970 to 2286. Answers give it in UTC.', example: '2026-11-27T09:00:00Z' });

export const saleItemsMax = 50;
const Shards = z.int().min(1).max(shardsMax).meta({
  description:
    'Over how many shards of the stock the units are spread, for items that are hotter than one of them. Never changes; 1 when left out.',
});
const PerBuyerLimit = z.int().min(1).max(20);

const Units = z.int().min(1).max(unitsPerItemMax).optional().meta({ description: 'How many come on sale.', example: 1000 });

const Seats = z
  .array(Seat)
  .min(1)
  .max(seatsPerItemMax)
  .superRefine((seats, context) => {
    const seen = new Set<string>();
    const repeated = seats.find((seat) => seen.size === seen.add(seat).size);
    if (repeated !== undefined) context.addIssue({ code: 'custom', message: `must name each seat once, and names ${repeated} again` });
  })
  .optional()
  .meta({ description: 'The seats that come on sale, in the order in which they are listed.', example: ['A-1', 'A-2'] });

const unitsOrSeats = ({ units, seats }: { units?: unknown; seats?: unknown }) => (units === undefined) !== (seats === undefined);
const eitherOr = 'must have either units or seats';

const NewSaleItem = z
  .strictObject({ sku: Sku, units: Units, seats: Seats })
  .refine(unitsOrSeats, eitherOr)
  .meta({ id: 'NewSaleItem', description: 'Either `units`, sold by number, or `seats`, sold by name.' });

const skusDiffer = (items: readonly { sku: string }[]) => new Set(items.map((item) => item.sku)).size === items.length;

export const NewSale = z
  .strictObject({
    saleId: SaleId.optional().meta({ description: 'Made up when left out.' }),
    name: Line(200).meta({ example: 'Launch day' }),
    opensAt: Moment,
    closesAt: Moment,
    strategy: z.enum(['reserve-first', 'charge-first']).default('reserve-first').meta({
      description:
        '`reserve-first` holds the units and then charges; `charge-first` charges and then gets the units, or returns the money.',
    }),
    holdSeconds: z.int().min(5).max(3_600).default(300).meta({ description: 'How long a hold waits for its payment.' }),
    perBuyerLimit: PerBuyerLimit.optional().meta({ description: 'Units per buyer over all orders; no limit when left out.' }),
    items: z.array(NewSaleItem).min(1).max(saleItemsMax).refine(skusDiffer, 'must name each sku once'),
    shards: Shards.optional(),
  })
  .refine((sale) => sale.opensAt < sale.closesAt, { path: ['closesAt'], message: 'must be later than opensAt' })
  .refine((sale) => !isSharded(sale) || sale.items.every(({ seats }) => seats === undefined), {
    path: ['shards'],
    message: 'must be 1 or left out where seats are sold',
  })
  .meta({ id: 'NewSale', description: 'A sale to be created. Names, prices and the currency are taken from the products, and frozen.' });
export type NewSale = z.output<typeof NewSale>;

export const SaleStateName = z.enum(['scheduled', 'open', 'paused', 'sold-out', 'closed']).meta({
  id: 'SaleState',
  description:
    'What a buyer can expect. A sale whose stock is not ready, or can’t be read, shows as `paused` while it would be open: nothing can be bought of it ' +
    'at this moment.',
});

const time = (description: string) => z.iso.datetime().meta({ description, example: '2026-11-27T09:00:00.000Z' });

export const SaleAnswer = z
  .strictObject({
    saleId: SaleId,
    name: z.string().meta({ example: 'Launch day' }),
    state: SaleStateName,
    serverTime: time('The time by the clock that opens and closes sales.'),
    opensAt: time('From this moment on the sale sells.'),
    closesAt: time('From this moment on it no longer does.'),
    perBuyerLimit: z.int().optional().meta({ example: 4 }),
    holdSeconds: z.int().meta({ example: 300 }),
    strategy: z.enum(['reserve-first', 'charge-first']),
    shards: Shards.optional(),
    items: z.array(
      z
        .strictObject({
          sku: Sku,
          name: z.string().meta({ example: 'Launch tee, black, M' }),
          priceMinor: PriceMinor,
          currency: Currency,
          total: z.int().meta({ description: 'Units ever put on sale.', example: 1000 }),
          available: z.int().meta({
            description:
              'Units left at this moment. While the stock is not ready or can’t be read: what is left by the orders that were counted, which may be ' +
              'behind by 2 s or so; in a list 0 where nobody has counted.',
            example: 640,
          }),
          seated: z.boolean(),
        })
        .meta({ id: 'SaleItem' }),
    ),
  })
  .meta({ id: 'Sale' });
export type SaleAnswer = z.output<typeof SaleAnswer>;

export const saleList = 'sales';
export const SaleListQuery = z.strictObject(pageQuery(saleList));
export const SalePage = pageOf(SaleAnswer).meta({ id: 'SalePage' });

export const SaleWishes = z
  .strictObject({
    state: z.enum(['paused', 'open', 'closed']).optional().meta({ description: '`closed` is final.' }),
    opensAt: Moment.optional(),
    closesAt: Moment.optional(),
    perBuyerLimit: PerBuyerLimit.optional().meta({
      description: 'Only of a sale that has a limit. Lowering it takes nothing from anyone and stops further buying.',
    }),
  })
  .refine((wishes) => Object.values(wishes).some((wish) => wish !== undefined), 'must have a field to change')
  .meta({ id: 'SaleWishes', description: 'What is to be changed; what is left out stays.' });
export type SaleWishes = z.output<typeof SaleWishes>;

const Reason = Line(500).meta({ description: 'For the record.', example: 'The band has added a second row.' });

export const Restock = z
  .strictObject({ sku: Sku, units: Units, seats: Seats, reason: Reason })
  .refine(unitsOrSeats, eitherOr)
  .meta({ id: 'Restock', description: 'What comes on sale besides: `units` of an item sold by number, `seats` of one sold by name.' });
export type Restock = z.output<typeof Restock>;

export const SaleCancellationRequest = z.strictObject({ reason: Reason }).meta({ id: 'SaleCancellation' });

export const seatList = 'seats';
export const SeatListQuery = z.strictObject({
  sku: Sku.meta({ description: 'An item of the sale that is sold by seats.' }),
  ...pageQuery(seatList),
});

export const SeatAnswer = z
  .strictObject({
    seat: Seat,
    state: z.enum(['free', 'held', 'sold']).meta({ description: '`held`: somebody is about to buy it, or it is not for sale yet.' }),
  })
  .meta({ id: 'SeatOfSale' });
export type SeatAnswer = z.output<typeof SeatAnswer>;
export const SeatPage = pageOf(SeatAnswer).meta({ id: 'SeatPage' });
