import { log } from '../shared/telemetry.ts';
import { stockIdOf } from '../stock/shards.model.ts';
import type { Hold, StockLine } from '../stock/stock.model.ts';
import { type AllocatePorts, allocateUnits, type NoUnits } from './allocate.ts';
import { StockAway } from './compensate.ts';
import { OrderRowsBroken } from './order.errors.ts';
import { type Decision, isDisowned, type Order, type OrderFailure } from './order.model.ts';
import type { OrderRepository, StepOutcome } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import type { Allocation } from './order.transitions.model.ts';
import { allocationOf, holdOf, linesOf, standingOf } from './placement.model.ts';

export interface PaidUnitsPorts extends AllocatePorts {
  readonly orders: OrderRepository;
}

/** How an order that is paid already gets units, and what becomes of it when there are none. */
export interface Wanting {
  readonly holdId: string;
  /** Whether the order, as it is now, still wants them. */
  wants(order: Order): boolean;
  give(order: Order, allocation: Allocation, nowMs: number): Decision;
  /** The undo of the charge, or its beginning. */
  refuse(order: Order, why: OrderFailure, nowMs: number): Decision;
  /** Whether the order waits for a sale that is paused or yet to open, or is refused. */
  readonly waitsForSale: boolean;
}

/** Whether there are units is not known yet; the message is delivered again, and the sweeper asks again. */
export class UnitsUndecided extends Error {
  override readonly name = 'UnitsUndecided';
}

/**
 * Units for an order that is there already and paid: the hold first, then order by version, units and allowance in one transaction. Whoever loses
 * the version reads again and never undoes; a hold that is left over is the sweeper's. Can run any number of times, also at once.
 */
export async function getPaidUnits(order: Order, wanting: Wanting, ports: PaidUnitsPorts): Promise<StepOutcome> {
  const { stock, orders, clock } = ports;
  const { orderId, saleId, buyerId, payloadHash } = order;
  const { holdId } = wanting;
  const answered = (answer: StepOutcome) => ({ outcome: 'answered' as const, answer });
  let current = order;
  if (!wanting.wants(current)) return { outcome: 'stayed', order: current };

  const sale = await ports.sales.known(saleId);
  if (!sale) throw new OrderRowsBroken(`${orderId} is of ${saleId}, which is not there`);
  const lines = linesOf(order);
  return allocateUnits<StepOutcome>({ sale, orderId, buyerId, reserve, commit, abandon, undecided }, ports);

  async function reserve() {
    const reserved = await stock.reserve({ saleId, shards: sale?.shards, holdId, buyerId, payloadHash, lines });
    switch (reserved.outcome) {
      case 'RESERVED':
        if (reserved.hasOrder) return answered(await undecided());
        // A checkout that was overtaken may have left another cart under the order's own hold: not what was paid for, and over when its time is up.
        if (!isWithin(reserved.hold, lines)) throw new UnitsUndecided(`${orderId}: its hold is of other lines`);
        return { outcome: 'held' as const, hold: reserved.hold, lines };
      case 'NOT_LOADED':
        throw new StockAway(`${saleId} is not loaded`);
      case 'PAUSED':
        return answered(await untilItOpens());
      case 'NOT_OPEN':
        return answered(reserved.state === 'scheduled' ? await untilItOpens() : await refuse('SALE_NOT_OPEN'));
      case 'SOLD_OUT':
      case 'SEAT_TAKEN':
        return answered(await refuse('OUT_OF_STOCK'));
      case 'BUYER_LIMIT':
        return answered(await refuse('BUYER_LIMIT'));
      case 'ENDED':
      case 'KEY_REUSED':
        return answered(await undecided());
      // They were known when the order was placed: a Redis that fell back learns them again.
      case 'IN_TRANSIT':
        throw new UnitsUndecided(`${orderId}: the last units are being moved between shards`);
      case 'UNKNOWN_SKU':
      case 'WRONG_KIND':
      case 'UNKNOWN_SEAT':
        throw new UnitsUndecided(`${orderId}: ${reserved.outcome} ${reserved.sku}`);
    }
  }

  async function commit(hold: Hold) {
    // Later births are above all that are over, also where Redis' clock has gone back since.
    if (isDisowned(current, hold)) return { outcome: 'over' as const, bornUs: current.disownedBornUs ?? hold.bornUs };
    const decision = wanting.give(current, allocationOf(current, hold), clock.nowMs());
    if (decision.outcome === 'stay') return answered({ outcome: 'stayed', order: current });
    const moved = await orders.transition(current, decision.transition);
    switch (moved.outcome) {
      case 'moved':
        await acknowledge(moved.order);
        return answered(moved);
      case 'lost-race':
        current = moved.current;
        return wanting.wants(current) ? { outcome: 'again' as const } : answered({ outcome: 'stayed', order: current });
      case 'collided':
        return moved;
      default:
        throw new OrderRowsBroken(`${orderId} at version ${current.version}: ${moved.outcome}, which getting units cannot be`);
    }
  }

  /** Redis follows the rows; where it missed this, the hold comes up for expiry, and then the sweeper tells it. */
  async function acknowledge(owner: Order): Promise<void> {
    await stock
      .acknowledge(stockIdOf(owner), holdOf(owner), standingOf(owner))
      .catch((error: unknown) => log.warn('an order is not acknowledged yet', { orderId, error }));
  }

  function untilItOpens(): Promise<StepOutcome> | StepOutcome {
    return wanting.waitsForSale ? { outcome: 'stayed', order: current } : refuse('SALE_NOT_OPEN');
  }

  function refuse(why: OrderFailure): Promise<StepOutcome> {
    const rule = (now: Order): Decision =>
      wanting.wants(now) ? wanting.refuse(now, why, clock.nowMs()) : { outcome: 'stay', reason: 'nothing-wanted' };
    return takeStep(current, orders, rule);
  }

  async function abandon(hold: Hold, why: NoUnits): Promise<StepOutcome> {
    const refused = await refuse(why.outcome === 'buyer-limit' ? 'BUYER_LIMIT' : 'OUT_OF_STOCK');
    // The order's own hold goes with the order's end. Another one is nobody's, once the order has moved on without it.
    const isNobodys = refused.outcome === 'moved' && refused.order.holdId !== holdId;
    if (isNobodys) await stock.release(stockIdOf(order), { holdId, cause: 'tombstone', bornUs: hold.bornUs });
    return refused;
  }

  /** A copy of this step was quicker, or the order has ended since; otherwise it is too early to say. */
  async function undecided(): Promise<StepOutcome> {
    const now = await orders.get(orderId);
    if (!now) throw new OrderRowsBroken(`${orderId} is gone`);
    if (wanting.wants(now)) throw new UnitsUndecided(orderId);
    return { outcome: 'stayed', order: now };
  }
}

/** Whether the hold has nothing but what these lines ask for. It may have less. */
const isWithin = (hold: Hold, lines: readonly StockLine[]): boolean =>
  hold.lines.every(({ sku, units }) => {
    const line = lines.find((each) => each.sku === sku);
    return line !== undefined && units.length <= line.quantity && units.every((unit) => line.seats?.includes(unit) ?? true);
  });
