import type { Write } from '../shared/dynamo.ts';
import type { Collision } from './collision.model.ts';
import type { Order, Transition } from './order.model.ts';

export type TransitionOutcome =
  | { outcome: 'moved'; order: Order }
  /** Somebody else moved the order first: here is what it is now. */
  | { outcome: 'lost-race'; current: Order }
  /** The order is as it was read, and others have some of the units or slots that it was to get. */
  | ({ outcome: 'collided' } & Collision)
  /** The account is missing, holds another currency, or too little. */
  | { outcome: 'refused-by-account' }
  /** The order is as it was read, and one of the `extra` writes was refused. */
  | { outcome: 'refused-by-extra' };

export interface OrderRepository {
  /** The order, read with strong consistency; a tombstone is not an order. */
  get(orderId: string): Promise<Order | undefined>;
  /** Commits the transition with all that goes with it, or nothing. A lost race is told before a refusal of anything else. */
  transition(order: Order, transition: Transition, extra?: readonly Write[]): Promise<TransitionOutcome>;
}

/**
 * What one step of an order came to. `stayed`: the order needs nothing of this kind, so a duplicate or late event changes nothing.
 * In every case `order` is the order as it is now.
 */
export type StepOutcome = { outcome: 'moved' | 'stayed'; order: Order };

/** One step of the saga: looks at the order as it is, and moves it if it is this step's turn. Can run any number of times. */
export type Step = (order: Order) => Promise<StepOutcome>;
