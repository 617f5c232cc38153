import type { Redis } from 'ioredis';

/** Somebody's wish for units. */
export interface Attempt {
  readonly number: number;
  /** Whoever asks again under a key wants what that key got, and nothing more. */
  readonly key: string;
  readonly buyerId: string;
  readonly quantity: number;
  /** Whoever does the work stops for a moment in the middle of it: a collection of garbage, a frozen container, a lost packet. */
  readonly stalls: boolean;
}

export type Answer =
  | { readonly sold: true; readonly orderId: string }
  /** `gave-up`: not for want of units. */
  | { readonly sold: false; readonly because: 'sold-out' | 'gave-up' };

/** As it was recorded, whoever was told of it. */
export interface StoredOrder {
  readonly orderId: string;
  readonly key: string;
  readonly quantity: number;
  /** Which units, where the mechanism names them. */
  readonly units?: readonly string[];
}

/** Dies at the worst moment: closes the connection and throws. What comes after it in the mechanism never happens. */
export type Crash = () => never;

/** One sale by one mechanism, on an empty store. */
export interface Shop {
  /** One buyer's connection asks. `crash`, if given, is called at the mechanism's worst point: when a unit is gone and nothing says to whom. */
  buy(attempt: Attempt, lane: number, crash?: Crash): Promise<Answer>;
  /** What the mechanism does about those who died, as often as it is asked to: nothing, for most. */
  settle?(): Promise<void>;
  /** Every order that is recorded. */
  orders(): Promise<readonly StoredOrder[]>;
  close?(): Promise<void>;
}

export interface Opening {
  readonly stock: number;
  /** How long a hold or a lock lasts whose owner died. */
  readonly leaseMs: number;
  /** All that will be asked for. */
  readonly attempts: readonly Attempt[];
}

/** A way to sell limited stock. */
export interface Mechanism<World> {
  readonly name: string;
  readonly ours?: true;
  /** 1% of those who do the work stop for a moment. */
  readonly stalls?: true;
  open(world: World, opening: Opening): Promise<Shop>;
}

/** Buyers' connections to one Redis, all alike. */
export interface RedisWorld {
  readonly url: string;
  readonly lanes: readonly Redis[];
}

export const soldOut: Answer = { sold: false, because: 'sold-out' };
export const gaveUp: Answer = { sold: false, because: 'gave-up' };

/** Longer than any lock of this bench lasts that is in danger of it. */
export const stallMs = 50;
