import type { Finding } from '../simulation/findings.ts';
import type { Plan } from '../simulation/plan.ts';
import type { RedisView } from '../simulation/redis-view.ts';
import type { Rows } from '../simulation/rows.ts';
import type { Stage } from './stage.ts';

/** How a scenario has ended. */
export interface End {
  readonly rows: Rows;
  readonly redis: RedisView | undefined;
  readonly stage: Stage;
}

/** A small world with a script: always the same people doing the same things, each as long as it takes until they are answered. */
export interface Scenario {
  readonly name: string;
  /** The sale; what is left out is a sale of tees and seats, first held and then paid, for buyers with money. */
  readonly plan: Partial<Omit<Plan, 'actions' | 'faults' | 'seed'>>;
  /** The products, the accounts and the sale are made by the script itself. */
  readonly opensItself?: true;
  play(stage: Stage): Promise<void>;
  /** What is not as this scenario must end, wherever something has failed: beside the invariants, which hold for all. */
  broken(end: End): Iterable<string>;
}

export type { Finding };
