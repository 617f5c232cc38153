import { cartContracts } from './cart.contracts.ts';
import { loadContracts } from './load.contracts.ts';
import { mendContracts } from './mend.contracts.ts';
import type { Contract } from './scripts.replies.ts';
import { shardContracts } from './shards.contracts.ts';
import { stockContracts } from './stock.contracts.ts';

/** By the names of the definitions. */
export const contracts = new Map<string, Contract>([
  ...stockContracts,
  ...cartContracts,
  ...loadContracts,
  ...mendContracts,
  ...shardContracts,
]);
