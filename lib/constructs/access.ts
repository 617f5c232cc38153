import type { TableAccess } from './tables.ts';

/**
 * What moving an order needs: the order and its outbox row. The other tables of its transaction come by name alone, because the
 * repository of orders knows them all; whoever touches one adds the piece below.
 */
export const movesOrders = {
  orders: { actions: ['GetItem', 'PutItem'] },
  outbox: { actions: ['PutItem'] },
  units: { actions: [] },
  allowances: { actions: [] },
  accounts: { actions: [] },
} as const satisfies TableAccess;

/** Claims units and slots; whose they are is read only when somebody else has them. The sale and its seats say what is on sale at all. */
export const claimsUnits = {
  sales: { actions: ['GetItem'] },
  seats: { actions: ['Query'] },
  units: { actions: ['PutItem', 'BatchGetItem'] },
  allowances: { actions: ['PutItem', 'Query'] },
} as const satisfies TableAccess;

/** Which Redis has each sale, as it was seen last. */
export const watchesRedis = { reconciliations: { actions: ['GetItem', 'UpdateItem'] } } as const satisfies TableAccess;

export const sellsUnits = { units: { actions: ['UpdateItem'] } } as const satisfies TableAccess;

export const freesUnits = { units: { actions: ['DeleteItem'] }, allowances: { actions: ['DeleteItem'] } } as const satisfies TableAccess;

export const movesMoney = { accounts: { actions: ['PutItem', 'UpdateItem'] } } as const satisfies TableAccess;
