import { nextStep, type Order, type StepName } from './order.model.ts';
import type { Step } from './order.ports.ts';

/** Bounds a run: the longest way of an order, from placed to fulfilled, has four steps, and others may step in. */
const stepsMax = 8;

/**
 * Drives an order as far as it goes now, without any event: level-triggered, from what the order is. `nowMs` is Redis' time.
 * Returns the order as it stands; throws what a step throws, and the order stays due.
 */
export async function advance(order: Order, steps: Readonly<Record<StepName, Step>>, nowMs: () => number): Promise<Order> {
  let current = order;
  for (let count = 0; count < stepsMax; count++) {
    const name = nextStep(current, nowMs());
    if (name === 'wait' || name === 'rest') return current;
    const taken = await steps[name](current);
    if (taken.outcome === 'stayed' && taken.order.version === current.version) return current;
    current = taken.order;
  }
  return current;
}
