import type { Order } from '../orders/order.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { driftOfItem, type StockPicture } from './drift.model.ts';
import { auditMoney, type Ledger, type MoneyAudit } from './money-audit.model.ts';
import { auditItem, type Finding, type ItemAudit, type UnitRow } from './unit-audit.model.ts';

/** What Redis shows of a sale; a word when it shows nothing. */
export type StockSeen = StockPicture | 'not-loaded' | 'unreadable';

const unseen = { 'not-loaded': 'Redis does not have the sale', unreadable: 'Redis could not be read' } as const;

/** Everything that is stored about a sale. */
export interface SaleRows {
  readonly sale: Sale;
  readonly units: readonly UnitRow[];
  readonly orders: readonly Order[];
  readonly ledgers: readonly Ledger[];
  readonly stock: StockSeen;
}

export interface SaleAudit {
  readonly items: readonly (Omit<ItemAudit, 'findings'> & { readonly conserved: boolean })[];
  readonly money: Omit<MoneyAudit, 'findings'> & { readonly balanced: boolean };
  readonly redis: { readonly agrees: boolean; readonly drift: readonly string[] };
  /** What is behind each `conserved` and `balanced` that is false; for the log. */
  readonly findings: readonly Finding[];
}

/** An answer shows this much drift; what is more is counted. */
const driftShownMax = 100;

/** Does the sale's arithmetic. What Redis does not show does not add up: no unit is called conserved by its rows alone. */
export function auditSale({ sale, units, orders, ledgers, stock }: SaleRows): SaleAudit {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const rowsOf = Map.groupBy(units, ({ sku }) => sku);
  const audited = sale.items.map((item) => {
    const rows = rowsOf.get(item.sku) ?? [];
    const { findings, ...counts } = auditItem(item, rows, byId);
    const compared = typeof stock === 'string' ? { drift: [], addsUp: false } : driftOfItem(item, rows, stock);
    return { counts, findings, ...compared };
  });
  const money = auditMoney(orders, ledgers);
  const { findings: moneyFindings, ...figures } = money;
  const drift = typeof stock === 'string' ? [unseen[stock]] : [...driftOfSale(sale, stock), ...audited.flatMap((item) => item.drift)];
  return {
    items: audited.map(({ counts, findings, addsUp }) => ({ ...counts, conserved: findings.length === 0 && addsUp })),
    money: { ...figures, balanced: moneyFindings.length === 0 },
    redis: { agrees: drift.length === 0, drift: shortened(drift) },
    findings: [...audited.flatMap((item) => item.findings), ...moneyFindings],
  };
}

const driftOfSale = (sale: Sale, stock: StockPicture): string[] =>
  stock.version === sale.version ? [] : [`the sale is at version ${sale.version}, Redis at ${stock.version}`];

const shortened = (drift: readonly string[]): string[] =>
  drift.length <= driftShownMax ? [...drift] : [...drift.slice(0, driftShownMax), `and ${drift.length - driftShownMax} more`];
