import { laterHoldIdOf } from '../shared/ids.ts';
import type { Order } from './order.model.ts';
import type { Step } from './order.ports.ts';
import { giveBackLate, reclaim } from './order.transitions.model.ts';
import { getPaidUnits, type PaidUnitsPorts } from './paid-units.ts';

/**
 * Money that came after an order's end gets units once more, under a hold of its own, once the order's former stock is released. Its undo is
 * `giveBackLate`: whatever keeps the sale from selling them now, a pause too, sends the money back, for nobody waits for an order that has ended.
 */
export const reclaimOrder =
  (ports: PaidUnitsPorts): Step =>
  async (order) => {
    const { late } = order;
    if (!late) return { outcome: 'stayed', order };
    const wants = (now: Order) => now.late?.paymentId === late.paymentId && now.stock === 'released';
    const holdId = laterHoldIdOf(order.orderId, late.paymentId);
    return getPaidUnits(
      order,
      { holdId, wants, give: reclaim, refuse: (now, _, nowMs) => giveBackLate(now, nowMs), waitsForSale: false },
      ports,
    );
  };
