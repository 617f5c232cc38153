import type { Counted } from '../stock/mend.ports.ts';
import type { Hold, HoldState, LineUnits } from '../stock/stock.model.ts';

/** What may be wrong, in words that reports use. */
export const driftKinds = [
  /** An order's units or its hold are not as its rows say: unknown, for sale, or another's. */
  'order-not-followed',
  /** A slot that an order uses is not used in Redis. */
  'allowance-too-low',
  /** A slot is used by no order, hold or cart. */
  'allowance-too-high',
  /** A unit that is in no place at all. */
  'unit-leaked',
  /** A unit that one shard of a sale sells while another one does as well, or while an order at home elsewhere has it. */
  'unit-twice',
  /** The hold of an order that has ended, with its units. */
  'hold-of-ended-order',
  /** An order that has ended, or the first hold of one that has another by now, and left no mark. */
  'mark-missing',
  /** A hold whose time is up, and nothing leads to it. */
  'hold-not-listed',
  /** A hold that an order has, and there is no such order. */
  'hold-without-order',
  'cart-not-listed',
  /** A seat that is nobody's, though its field says otherwise. */
  'seat-wrong',
  /** An item's counter of what is free. */
  'counter-wrong',
  /** The sale's window, state, limit, totals or seats. */
  'sale-behind',
  /** The read model of an order. */
  'view-stale',
] as const;
export type DriftKind = (typeof driftKinds)[number];

export type HoldSeen = Hold & { readonly state: HoldState };

/** One thing that is wrong with one subject. */
export type Drift = {
  readonly kind: DriftKind;
  readonly subject: string;
  readonly detail: string;
  /** It changed a moment ago, so it may be half done: it is not mended, and nothing is called right meanwhile. */
  readonly recent?: true;
} & (
  | { readonly about: 'order'; readonly orderId: string; readonly holdId: string }
  | { readonly about: 'hold'; readonly hold: HoldSeen }
  | { readonly about: 'cart'; readonly holdId: string }
  | { readonly about: 'units'; readonly sku: string; readonly serials: readonly number[] }
  | { readonly about: 'slots'; readonly buyerId: string; readonly slots: readonly number[] }
  | { readonly about: 'seat'; readonly sku: string; readonly seat: string; readonly owner: string }
  /** `off`: by how much the counters are above what was counted. */
  | { readonly about: 'item'; readonly sku: string; readonly off: Counted; readonly stockId?: string }
  | { readonly about: 'twice'; readonly sku: string; readonly serials: readonly number[]; readonly stockId: string }
  | { readonly about: 'sale' }
);

/** What two looks at a sale must agree on for a repair. */
export const identityOf = ({ kind, subject }: Pick<Drift, 'kind' | 'subject'>): string => `${kind} ${subject}`;

/** The units of lines as one list of names. */
export const unitNames = (lines: readonly LineUnits[]): string[] =>
  lines.flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit}`)).sort();
