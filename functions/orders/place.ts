import type { Sale } from '../sales/sale.model.ts';
import { UnsettledTransaction } from '../shared/dynamo.ts';
import { log } from '../shared/telemetry.ts';
import type { Hold } from '../stock/stock.model.ts';
import { allocateUnits, type NoUnits } from './allocate.ts';
import { checkOut, putBack } from './check-out.ts';
import { placePending } from './place-pending.ts';
import { placement } from './placement.model.ts';
import { type PlaceOutcome, type PlacePorts, type PlaceRequest, placingOf } from './placing.ts';

export type { PlaceOutcome, PlacePorts, PlaceRequest } from './placing.ts';

/**
 * Places an order: Redis allocates the units, one transaction decides; in a sale that charges first the order comes without units. The same key gives
 * the same order however often and from wherever it is sent.
 */
export async function placeOrder(request: PlaceRequest, ports: PlacePorts): Promise<PlaceOutcome> {
  const sale = await ports.sales.known(request.saleId);
  if (!sale) return { outcome: 'unknown-sale' };
  const placing = placingOf(request, sale, ports);
  try {
    return await (sale.strategy === 'charge-first' ? placePending(request, placing, ports) : placeHeld(request, placing, ports));
  } catch (error) {
    if (!(error instanceof UnsettledTransaction)) throw error;
    // Another attempt under the same key may be committing right now, so the hold is left alone: the sweeper settles it.
    log.warn('an order is unsettled', { orderId: placing.orderId, error });
    return { outcome: 'try-again' };
  }
}

/** Units first, then the order that has them. A hold is never given back because an attempt failed: only an ended order or a tombstone ends it. */
function placeHeld(request: PlaceRequest, placing: ReturnType<typeof placingOf>, ports: PlacePorts): Promise<PlaceOutcome> {
  const { stock, claims } = ports;
  const { saleId, shards, stockId, buyerId, holdId, orderId, payloadHash, lines } = placing;
  const { replay, replayIfPlaced, acknowledge, refusalOf } = placing;
  const sale: Sale = placing.sale;

  const answered = (answer: PlaceOutcome) => ({ outcome: 'answered' as const, answer });
  return allocateUnits<PlaceOutcome>({ sale, orderId, buyerId, reserve, commit, abandon, undecided }, ports);

  async function reserve() {
    if (placing.fromCart) return reserveCart();
    const reserved = await stock.reserve({ saleId, shards, holdId, buyerId, payloadHash, lines });
    switch (reserved.outcome) {
      case 'RESERVED': {
        // Reading the order that the hold has is cheaper than a transaction that must fail.
        const placed = reserved.hasOrder ? await replayIfPlaced() : undefined;
        return placed ? answered(placed) : { outcome: 'held' as const, hold: reserved.hold, lines };
      }
      case 'ENDED':
        return answered(await undecided());
      case 'KEY_REUSED':
        return answered((await replayIfPlaced()) ?? { outcome: 'key-reused' });
      case 'NOT_LOADED':
      case 'PAUSED':
      // A Redis that fell back behind a restock of seats has forgotten the orders of those as well.
      case 'UNKNOWN_SEAT':
        return answered((await replayIfPlaced()) ?? (await refusalOf(reserved)));
      case 'UNKNOWN_SKU':
      case 'WRONG_KIND':
      case 'IN_TRANSIT':
        return answered(await refusalOf(reserved));
      case 'NOT_OPEN': {
        // A crowd is at the door of a sale that has not opened, and hardly anybody has an order of it: only if its opening was put off again.
        const mayHaveOrder = reserved.state === 'closed' || (await mayBeForgotten(reserved));
        return answered((mayHaveOrder ? await replayIfPlaced() : undefined) ?? (await refusalOf(reserved)));
      }
      // The answers that a crowd gets: an order is looked for only where Redis may have forgotten some.
      case 'SOLD_OUT':
      case 'SEAT_TAKEN':
      case 'BUYER_LIMIT':
        return answered(((await mayBeForgotten(reserved)) ? await replayIfPlaced() : undefined) ?? (await refusalOf(reserved)));
    }
  }

  async function mayBeForgotten({ behind }: { behind: boolean }): Promise<boolean> {
    return behind || !(await ports.isCertain(sale));
  }

  async function reserveCart() {
    const checkedOut = await checkOut(placing, ports);
    if (checkedOut.outcome === 'answered') return checkedOut;
    const placed = checkedOut.hasOrder ? await replayIfPlaced() : undefined;
    return placed ? answered(placed) : checkedOut;
  }

  async function commit(hold: Hold) {
    const placed = placement(hold, sale, request.body.payment.method);
    const claimed = await claims.claim(placed);
    switch (claimed.outcome) {
      case 'claimed':
        await acknowledge(placed.next);
        return answered({ outcome: 'placed', order: placed.next });
      case 'order-exists':
        return answered(await replay(claimed.order));
      case 'tombstoned':
        return { outcome: 'over' as const, bornUs: claimed.bornUs };
      case 'collided':
        return claimed;
    }
  }

  /** Ends the hold and refuses; if an order turns up under the id after all, that is the answer. */
  async function abandon(hold: Hold, refusal: NoUnits): Promise<PlaceOutcome> {
    const ended = await claims.tombstone(hold, orderId, ports.clock.nowMs());
    if (ended.outcome === 'order-exists') return replay(ended.order);
    if (placing.fromCart) await putBack(hold, refusal, placing, ports);
    else await stock.release(stockId, { holdId, cause: 'tombstone', bornUs: hold.bornUs });
    return refusal;
  }

  /** Since this attempt began, a twin of it made the hold an order, or the sweeper ended it. */
  async function undecided(): Promise<PlaceOutcome> {
    return (await replayIfPlaced()) ?? { outcome: 'try-again' };
  }
}
