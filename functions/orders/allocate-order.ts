import { isPaidAndPending } from './order.model.ts';
import type { Step } from './order.ports.ts';
import { allocate, reject } from './order.transitions.model.ts';
import { getPaidUnits, type PaidUnitsPorts } from './paid-units.ts';

/**
 * An order that was charged first gets its units. Its undo is `reject`: with no unit left, over the limit, or after the sale's close, what was set
 * aside returns with the order's end, and what was taken goes back. While the sale is paused the order waits, as a hold would that was made
 * before: the sweeper asks again.
 */
export const allocateOrder =
  (ports: PaidUnitsPorts): Step =>
  (order) =>
    getPaidUnits(order, { holdId: order.holdId, wants: isPaidAndPending, give: allocate, refuse: reject, waitsForSale: true }, ports);
