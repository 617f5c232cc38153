import type { Bug } from '../bug.ts';
import { claimBugs } from './claims.ts';
import { glanceBugs } from './glance.ts';
import { messageBugs } from './messages.ts';
import { moneyBugs } from './money.ts';
import { orderBugs } from './orders.ts';
import { reconciliationBugs } from './reconciliation.ts';
import { saleBugs } from './sales.ts';
import { shardBugs } from './shards.ts';
import { stockBugs } from './stock.ts';

/** Every bug that is planted. */
export const bugs: readonly Bug[] = [
  ...claimBugs,
  ...orderBugs,
  ...moneyBugs,
  ...stockBugs,
  ...shardBugs,
  ...saleBugs,
  ...glanceBugs,
  ...messageBugs,
  ...reconciliationBugs,
];
