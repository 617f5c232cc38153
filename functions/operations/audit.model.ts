import type { Sale, SaleItem, SeatList } from '../sales/sale.model.ts';
import { driftOfCounted } from './drift.model.ts';
import { Findings } from './findings.model.ts';
import { type Ledger, MoneyAudit, type MoneyFigures, type OrderOfMoney } from './money-audit.model.ts';
import { driftOfSeated } from './seat-drift.model.ts';
import type { StockPicture } from './stock-picture.model.ts';
import { ItemAudit, type ItemCounts, type OrderOfUnits, type UnitRow } from './unit-audit.model.ts';

/** What Redis shows of a sale; a word when it shows nothing. */
export type StockSeen = StockPicture | 'not-loaded' | 'unreadable';

const unseen = { 'not-loaded': 'Redis does not have the sale', unreadable: 'Redis could not be read' } as const;

/** What the audit looks at in an order. */
export type AuditedOrder = OrderOfUnits & OrderOfMoney;

export interface AuditResult {
  readonly items: readonly (ItemCounts & { readonly conserved: boolean })[];
  readonly money: MoneyFigures & { readonly balanced: boolean };
  readonly redis: { readonly agrees: boolean; readonly drift: readonly string[] };
  /** What is behind each `conserved` and `balanced` that is false; for the log. */
  readonly findings: { readonly count: number; readonly shown: readonly string[] };
}

/** An answer shows this much drift; what is more is counted. */
const driftShownMax = 100;
const findingsShownMax = 20;

interface AuditedItem {
  readonly item: SaleItem;
  readonly seats: readonly string[];
  readonly audit: ItemAudit;
  readonly findings: Findings;
}

/**
 * Does a sale's arithmetic while its rows stream by, in this order: the units, the orders, their buyers' ledgers, the stock. Kept is what a row
 * still to come is held against, and no row itself, so that a sale of any size that the contract allows fits.
 */
export class SaleAudit {
  readonly #sale: Sale;
  readonly #items: ReadonlyMap<string, AuditedItem>;
  readonly #money: MoneyAudit;
  readonly #moneyFindings = new Findings(findingsShownMax);
  readonly #owners = new Set<string>();
  readonly #buyers = new Set<string>();

  constructor(sale: Sale, seatList: SeatList) {
    this.#sale = sale;
    this.#money = new MoneyAudit(this.#moneyFindings);
    this.#items = new Map(
      sale.items.map((item) => {
        const findings = new Findings(findingsShownMax);
        const seats = item.seated ? (seatList.get(item.sku) ?? []) : [];
        return [item.sku, { item, seats, findings, audit: new ItemAudit(item, seats, findings) }];
      }),
    );
  }

  seeUnit(row: UnitRow): void {
    this.#owners.add(row.orderId);
    this.#items.get(row.sku)?.audit.seeRow(row);
  }

  /** The orders that the rows name: they are to be seen, beside those that are known otherwise. */
  get owners(): ReadonlySet<string> {
    return this.#owners;
  }

  /** An order of the sale, each once. */
  seeOrder(order: AuditedOrder): void {
    this.#buyers.add(order.buyerId);
    for (const { audit } of this.#items.values()) audit.seeOrder(order);
    this.#money.seeOrder(order);
  }

  /** Whose ledgers are to be seen. */
  get buyers(): ReadonlySet<string> {
    return this.#buyers;
  }

  seeLedger(ledger: Ledger): void {
    this.#money.seeLedger(ledger);
  }

  /** The arithmetic's result. What Redis does not show does not add up: no unit is called conserved by its rows alone. */
  conclude(stock: StockSeen): AuditResult {
    const drift = new Findings(driftShownMax);
    if (typeof stock === 'string') drift.add(unseen[stock]);
    else if (stock.version !== this.#sale.version) drift.add(`the sale is at version ${this.#sale.version}, Redis at ${stock.version}`);
    const items = [...this.#items.values()].map((audited) => {
      const counts = audited.audit.conclude((orderId) => this.#money.isOrder(orderId));
      const addsUp = typeof stock !== 'string' && driftOf(audited, stock, drift);
      return { ...counts, conserved: addsUp && audited.findings.count === 0 };
    });
    const figures = this.#money.conclude();
    const all = [...[...this.#items.values()].map(({ findings }) => findings), this.#moneyFindings];
    return {
      items,
      money: { ...figures, balanced: this.#moneyFindings.count === 0 },
      redis: { agrees: drift.count === 0, drift: shortened(drift) },
      findings: {
        count: all.reduce((sum, { count }) => sum + count, 0),
        shown: all.flatMap(({ shown }) => shown).slice(0, findingsShownMax),
      },
    };
  }
}

function driftOf({ item, seats, audit }: AuditedItem, stock: StockPicture, drift: Findings): boolean {
  const picture = stock.items.get(item.sku);
  if (!picture) {
    drift.add(`${item.sku} is not in Redis`);
    return false;
  }
  return item.seated ? driftOfSeated(item, seats, audit.owned, picture, drift) : driftOfCounted(item, audit.owned, picture, drift);
}

const shortened = ({ count, shown }: Findings): string[] =>
  count <= shown.length ? [...shown] : [...shown, `and ${count - shown.length} more`];
