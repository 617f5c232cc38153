import { type Order, ownsUnits } from '../orders/order.model.ts';
import type { SaleItem } from '../sales/sale.model.ts';
import type { UnitState } from '../stock/stock.model.ts';
import type { Findings } from './findings.model.ts';

/** A unit that an order has, or took with it out of the sale, as its row says. */
export interface UnitRow {
  readonly sku: string;
  readonly unit: string;
  readonly orderId: string;
  readonly state: UnitState;
}

/** What the audit of units looks at in an order. */
export type OrderOfUnits = Pick<Order, 'orderId' | 'status' | 'items' | 'takenBack'>;

export interface ItemCounts {
  readonly sku: string;
  readonly total: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly retired: number;
}

/** Whose a unit is by its row, and whether that order was seen to list it. */
interface Owned {
  readonly orderId: string;
  readonly state: UnitState;
  isListed: boolean;
}

/**
 * What the rows of an order's units must say; undefined where it must have none. An order that was taken back with its units out of the sale
 * keeps their rows when it ends.
 */
function rowStateOf({ status, takenBack }: OrderOfUnits): UnitState | undefined {
  if (ownsUnits({ status })) return status === 'RESERVED' ? 'HELD' : 'SOLD';
  const endedWithUnits = takenBack?.units === 'retire' && (status === 'REFUNDED' || status === 'CANCELLED');
  return endedWithUnits ? 'RETIRED' : undefined;
}

/**
 * Counts an item by its rows, and holds each row against its order and each order against its rows: a unit's owner lists it and may have it, an
 * order that may have units has their rows, and no unit has a row that was never put on sale. First come the rows, then the orders.
 */
export class ItemAudit {
  readonly #item: SaleItem;
  readonly #isOnSale: (unit: string) => boolean;
  readonly #findings: Findings;
  readonly #owned = new Map<string, Owned>();
  readonly #count = { HELD: 0, SOLD: 0, RETIRED: 0 };

  /** `seats`: the names of a seated item's seats; a counted item has none. */
  constructor(item: SaleItem, seats: readonly string[], findings: Findings) {
    const names = new Set(seats);
    this.#item = item;
    this.#isOnSale = item.seated ? (unit) => names.has(unit) : (unit) => isSerial(unit) && Number(unit) <= item.total;
    this.#findings = findings;
  }

  seeRow({ sku, unit, orderId, state }: UnitRow): void {
    this.#owned.set(unit, { orderId, state, isListed: false });
    this.#count[state]++;
    if (!this.#isOnSale(unit)) this.#findings.add(`${sku} ${unit} was never put on sale`);
  }

  /** An order of the sale, each once. */
  seeOrder(order: OrderOfUnits): void {
    const wanted = rowStateOf(order);
    for (const { sku, units } of order.items) {
      if (sku === this.#item.sku) for (const unit of units) this.#seeListed(order, unit, wanted);
    }
  }

  #seeListed({ orderId, status }: OrderOfUnits, unit: string, wanted: UnitState | undefined): void {
    const { sku } = this.#item;
    const owned = this.#owned.get(unit);
    if (owned?.orderId !== orderId) {
      if (wanted) this.#findings.add(`${orderId} is ${status} and lists ${sku} ${unit}, whose row it does not have`);
      return;
    }
    owned.isListed = true;
    if (owned.state !== wanted) this.#findings.add(`${sku} ${unit} is ${owned.state}, and its order ${orderId} is ${status}`);
  }

  /** The rows by unit: what Redis is held against. */
  get owned(): ReadonlyMap<string, Pick<Owned, 'orderId' | 'state'>> {
    return this.#owned;
  }

  /** What is counted once every row and every order was seen. `isOrder`: whether it is an order of the sale. */
  conclude(isOrder: (orderId: string) => boolean): ItemCounts {
    const { sku, total } = this.#item;
    for (const [unit, { orderId, isListed }] of this.#owned) {
      if (isListed) continue;
      const why = isOrder(orderId) ? 'does not list it' : 'is not an order of this sale';
      this.#findings.add(`${sku} ${unit} belongs to ${orderId}, which ${why}`);
    }
    const { HELD: held, SOLD: sold, RETIRED: retired } = this.#count;
    return { sku, total, available: total - held - sold - retired, held, sold, retired };
  }
}

const isSerial = (unit: string): boolean => /^[1-9]\d*$/.test(unit);
