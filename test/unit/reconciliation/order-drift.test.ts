import { describe, expect, it } from 'vitest';
import type { Order } from '../../../functions/orders/order.model.ts';
import { driftOfOrder } from '../../../functions/reconciliation/order-drift.model.ts';
import type { OrderSeen, UnitPlace } from '../../../functions/stock/mend.ports.ts';
import type { HoldState, LineUnits } from '../../../functions/stock/stock.model.ts';
import { anOrder } from '../../support/orders.ts';

const tees: LineUnits = { sku: 'tee', units: ['1', '2'] };
const seats: LineUnits = { sku: 'hall', units: ['A-1'], seated: true };
const bought = (changes: Partial<Order> = {}): Order =>
  anOrder({
    items: [
      { ...tees, quantity: 2, priceMinor: 100 },
      { ...seats, quantity: 1, priceMinor: 100 },
    ],
    slots: [1, 2, 3],
    ...changes,
  });
const { holdId, orderId } = bought();

const holdAs = (
  state: HoldState,
  lines: readonly LineUnits[] = [tees, seats],
  slots: readonly number[] = [1, 2, 3],
): OrderSeen['hold'] => ({
  holdId,
  buyerId: 'ada',
  payloadHash: 'payload',
  bornUs: 1,
  expiresAtMs: 1,
  lines,
  slots,
  state,
});
const placesOf = (counted: readonly UnitPlace[], seated: readonly UnitPlace[]) => [
  { line: tees, places: counted },
  { line: seats, places: seated },
];
/** Redis as it should be of an order that lives, but for `changes`. */
const seen = (changes: Partial<OrderSeen> = {}): OrderSeen => ({
  hold: holdAs('acknowledged'),
  slots: [1, 2, 3],
  places: placesOf(['elsewhere', 'elsewhere'], [{ owner: holdId }]),
  ...changes,
});
const ofOrder = { about: 'order', subject: orderId, orderId, holdId };

describe('Redis, held against an order that lives', () => {
  it('is right when the hold has its units, the units are nobody else’s and the slots are used', () => {
    expect(driftOfOrder(bought(), seen())).toBeUndefined();
    expect(driftOfOrder(bought({ status: 'CONFIRMED' }), seen({ hold: holdAs('confirmed') }))).toBeUndefined();
    // In whatever order the hold names them.
    expect(driftOfOrder(bought(), seen({ hold: holdAs('acknowledged', [seats, { sku: 'tee', units: ['2', '1'] }]) }))).toBeUndefined();
  });

  it.each([
    ['Redis does not know its hold', seen({ hold: undefined })],
    ['Redis has its hold as ended', seen({ hold: holdAs('ended') })],
    ['its hold has tee 1, tee 2, and not hall A-1, tee 1, tee 2', seen({ hold: holdAs('acknowledged', [tees]) })],
    ['its hold has nothing, and not hall A-1, tee 1, tee 2', seen({ hold: holdAs('acknowledged', []) })],
    ['tee 1 is for sale, hall A-1 is for sale', seen({ places: placesOf(['free', 'elsewhere'], [{ owner: '' }]) })],
    ['tee 1 is yet to be given out', seen({ places: placesOf(['ahead', 'elsewhere'], [{ owner: holdId }]) })],
    ['tee 2 is under suspicion, hall A-1 is with somebody', seen({ places: placesOf(['elsewhere', 'suspect'], [{ owner: 'somebody' }]) })],
    ['tee 2 is unknown', seen({ places: placesOf(['elsewhere'], [{ owner: holdId }]) })],
    ['hall A-1 is with -', seen({ places: [{ line: seats, places: [{ owner: '-' }] }] })],
  ])('does not follow it: %s', (detail, wrong) => {
    expect(driftOfOrder(bought(), wrong)).toStrictEqual({ ...ofOrder, kind: 'order-not-followed', detail });
  });

  it.each([
    ['the buyer’s slots', seen({ slots: [1] })],
    ['the hold’s slots', seen({ hold: holdAs('acknowledged', [tees, seats], [1]) })],
  ])('lets the buyer have too much when an order’s slot is not among %s', (_, wrong) => {
    expect(driftOfOrder(bought(), wrong)).toStrictEqual({
      ...ofOrder,
      kind: 'allowance-too-low',
      detail: 'slots 2, 3 of ada are not used',
    });
  });

  it('is not judged while the order waits for units', () => {
    const waiting = anOrder({ status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 1 }], slots: [] });
    expect(driftOfOrder(waiting, seen({ hold: undefined, places: [] }))).toBeUndefined();
  });
});

describe('Redis, held against an order that has ended', () => {
  const ended = (changes: Partial<Order> = {}) => bought({ status: 'EXPIRED', stock: 'released', ...changes });

  it('is the sweeper’s until the stock is released', () => {
    expect(driftOfOrder(ended({ stock: 'releasing' }), seen({ hold: undefined }))).toBeUndefined();
  });

  it('has a mark of it, or a hold that no order has, which the sweeper decides about', () => {
    expect(driftOfOrder(ended(), seen({ hold: holdAs('ended', []) }))).toBeUndefined();
    expect(driftOfOrder(ended(), seen({ hold: holdAs('held') }))).toBeUndefined();
    expect(driftOfOrder(ended(), seen({ hold: undefined }))).toStrictEqual({ ...ofOrder, kind: 'mark-missing', detail: 'it is EXPIRED' });
  });

  it.each(['acknowledged', 'confirmed'] as const)('must not have its units in a hold that is %s', (state) => {
    const hold = holdAs(state);
    expect(driftOfOrder(ended(), seen({ hold }))).toStrictEqual({
      kind: 'hold-of-ended-order',
      subject: holdId,
      detail: 'EXPIRED, and its hold has hall A-1, tee 1, tee 2',
      about: 'hold',
      hold,
    });
  });
});

describe('Redis, held against an order that took its units out of the sale', () => {
  const retired = bought({ status: 'REFUNDED', stock: 'released', takenBack: { reason: 'a test', units: 'retire' } });
  const gone = placesOf(['elsewhere', 'elsewhere'], [{ owner: '-' }]);

  it('has a mark, the units nowhere and the slots used', () => {
    expect(driftOfOrder(retired, seen({ hold: holdAs('ended', []), places: gone }))).toBeUndefined();
  });

  it.each([
    ['tee 1 is for sale', placesOf(['free', 'elsewhere'], [{ owner: '-' }])],
    [`hall A-1 is with ${holdId}`, placesOf(['elsewhere', 'elsewhere'], [{ owner: holdId }])],
    ['hall A-1 is for sale', placesOf(['elsewhere', 'elsewhere'], [{ owner: '' }])],
  ])('must not have them anywhere: %s', (detail, places) => {
    expect(driftOfOrder(retired, seen({ hold: holdAs('ended', []), places }))).toStrictEqual({
      ...ofOrder,
      kind: 'order-not-followed',
      detail,
    });
  });

  it.each([
    ['no hold', undefined],
    ['a hold that an order has', holdAs('acknowledged')],
    ['a hold that is confirmed', holdAs('confirmed')],
  ])('lacks the mark while it has %s', (_, hold) => {
    expect(driftOfOrder(retired, seen({ hold, places: gone }))).toStrictEqual({
      ...ofOrder,
      kind: 'mark-missing',
      detail: 'it is out of sale',
    });
  });

  it('leaves a hold that no order has to the sweeper', () => {
    expect(driftOfOrder(retired, seen({ hold: holdAs('held'), places: gone }))).toBeUndefined();
  });

  it('still uses the buyer’s slots', () => {
    expect(driftOfOrder(retired, seen({ hold: holdAs('ended', []), slots: [2], places: gone }))).toStrictEqual({
      ...ofOrder,
      kind: 'allowance-too-low',
      detail: 'slots 1, 3 of ada are not used',
    });
  });
});
