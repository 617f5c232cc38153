import type { UnitsMoved } from '../orders/moved-units.model.ts';

/** What the sale's own record says of an item: so many in all, as of that version of the sale. */
export interface ItemTotal {
  readonly sku: string;
  readonly total: number;
}

/** A message about the stock of a sale. */
export type StockMessage = { readonly eventId: string; readonly saleId: string } & (
  | {
      /** Part of the figures: counts once, in whatever order. */
      readonly kind: 'moved';
      readonly moved: readonly UnitsMoved[];
    }
  | {
      /** The totals by a version of the sale: the newest one stands, however often and in whatever order they come. */
      readonly kind: 'totals';
      readonly saleVersion: number;
      readonly totals: readonly ItemTotal[];
    }
);

/** The figures of an item of a sale: `total = available + held + sold + retired`. A read model, which decides nothing about selling. */
export interface StockLevel {
  readonly saleId: string;
  readonly sku: string;
  readonly held: number;
  readonly sold: number;
  readonly retired: number;
  /** None as long as nothing was heard of the sale itself. */
  readonly total?: number;
  /** The version of the sale that the total is of. */
  readonly saleVersion?: number;
}

/** How one item's figures change. */
export interface LevelChange extends UnitsMoved {
  readonly saleId: string;
}

export const levelKeyOf = ({ saleId, sku }: { readonly saleId: string; readonly sku: string }): string => `${saleId}|${sku}`;

/** What these messages come to, item by item: each of them counts once. Items whose figures stay as they are, are left out. */
export function changesOf(messages: readonly StockMessage[]): LevelChange[] {
  const once = new Map(messages.map((message) => [message.eventId, message]));
  const changes = new Map<string, LevelChange>();
  for (const message of once.values()) {
    if (message.kind !== 'moved') continue;
    for (const { sku, held, sold, retired } of message.moved) {
      const key = levelKeyOf({ saleId: message.saleId, sku });
      const { held: h, sold: s, retired: r } = changes.get(key) ?? { held: 0, sold: 0, retired: 0 };
      changes.set(key, { saleId: message.saleId, sku, held: h + held, sold: s + sold, retired: r + retired });
    }
  }
  return [...changes.values()].filter(({ held, sold, retired }) => held !== 0 || sold !== 0 || retired !== 0);
}

export interface LevelTotal extends ItemTotal {
  readonly saleId: string;
  readonly saleVersion: number;
}

/** The newest total that these messages tell of each item. */
export function totalsOf(messages: readonly StockMessage[]): LevelTotal[] {
  const newest = new Map<string, LevelTotal>();
  for (const message of messages) {
    if (message.kind !== 'totals') continue;
    const { saleId, saleVersion } = message;
    for (const { sku, total } of message.totals) {
      const key = levelKeyOf({ saleId, sku });
      if ((newest.get(key)?.saleVersion ?? 0) < saleVersion) newest.set(key, { saleId, sku, total, saleVersion });
    }
  }
  return [...newest.values()];
}

/**
 * How many of an item are left by its figures; undefined while its total is not known. Messages come in any order, so for a moment the parts may be
 * more than the whole, or less than nothing.
 */
export function availableOf({ total, held, sold, retired }: StockLevel): number | undefined {
  return total === undefined ? undefined : Math.min(Math.max(total - held - sold - retired, 0), total);
}

/** Messages in groups of which each fits into one transaction: a row for each message, and one for each item whose figures change. */
export function groupsOf(messages: readonly StockMessage[], writesMax: number): StockMessage[][] {
  const groups: StockMessage[][] = [];
  let group: StockMessage[] = [];
  let items = new Set<string>();
  for (const message of messages) {
    const own = message.kind === 'moved' ? message.moved.map(({ sku }) => levelKeyOf({ saleId: message.saleId, sku })) : [];
    const together = new Set([...items, ...own]);
    if (group.length > 0 && group.length + 1 + together.size > writesMax) {
      groups.push(group);
      group = [];
      items = new Set(own);
    } else {
      items = together;
    }
    group.push(message);
  }
  return group.length > 0 ? [...groups, group] : groups;
}
