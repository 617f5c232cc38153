import type { Write } from '../shared/dynamo.ts';
import { measure } from '../shared/metrics.ts';
import { OrderRowsBroken } from './order.errors.ts';
import type { Decision, Order, Transition } from './order.model.ts';
import type { OrderRepository, StepOutcome, TransitionOutcome } from './order.ports.ts';

/** More than the longest way of an order has steps: whoever is behind all of them still sees where it ends. */
const racesMax = 8;

/** Too many others moved the order at the same moment; the message is delivered again. */
export class OrderContended extends Error {
  override readonly name = 'OrderContended';
}

/**
 * Decides and commits; whoever loses the race reads what the order is now and decides again. Never undoes.
 * `refused` gives the decision to take when the account refuses the movement.
 */
export async function takeStep(
  order: Order,
  orders: OrderRepository,
  decide: (order: Order) => Decision,
  { extra, refused }: { extra?: (transition: Transition) => Write[]; refused?: (order: Order) => Decision } = {},
): Promise<StepOutcome> {
  let current = order;
  let rule = decide;
  let racesLost = 0;
  const told = <Outcome>(outcome: Outcome): Outcome => {
    if (racesLost > 0) measure('LostRaces', order.status, racesLost);
    return outcome;
  };
  for (let race = 0; race < racesMax; race++) {
    const decision = rule(current);
    if (decision.outcome === 'stay') return told({ outcome: 'stayed', order: current });
    const moved: TransitionOutcome = await orders.transition(current, decision.transition, extra?.(decision.transition));
    if (moved.outcome === 'moved') return told({ outcome: 'moved', order: moved.order });
    if (moved.outcome === 'lost-race') {
      racesLost++;
      current = moved.current;
      rule = decide;
    } else {
      if (!refused || moved.outcome !== 'refused-by-account') {
        throw new OrderRowsBroken(`${current.orderId} at version ${current.version}: ${moved.outcome}, which this step cannot be`);
      }
      rule = refused;
    }
  }
  throw told(new OrderContended(`${order.orderId} lost ${racesMax} races`));
}
