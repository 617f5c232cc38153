/** Looking closely at the stock, and putting single things right, as a reconciliation sees it. */
export type { Counted, LoadRef, Loose, MendStock, OrderSeen, UnitPlace } from './mend.scripts.ts';
export type { ItemCounters } from './stock.records.ts';
