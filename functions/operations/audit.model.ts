import type { Order } from '../orders/order.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { driftOfItem, type StockPicture } from './drift.model.ts';
import { auditMoney, type Ledger, type MoneyAudit } from './money-audit.model.ts';
import { auditItem, type Finding, type ItemAudit, type UnitRow } from './unit-audit.model.ts';

/** Everything that is stored about a sale. */
export interface SaleRows {
  readonly sale: Sale;
  readonly units: readonly UnitRow[];
  readonly orders: readonly Order[];
  readonly ledgers: readonly Ledger[];
  /** Absent when Redis does not have the sale. */
  readonly stock: StockPicture | undefined;
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

/** Does the sale's arithmetic. A sale that Redis does not have sells nothing, so its rows alone say whether it is conserved. */
export function auditSale({ sale, units, orders, ledgers, stock }: SaleRows): SaleAudit {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const rowsOf = Map.groupBy(units, ({ sku }) => sku);
  const audited = sale.items.map((item) => {
    const rows = rowsOf.get(item.sku) ?? [];
    const { findings, ...counts } = auditItem(item, rows, byId);
    const compared = stock ? driftOfItem(item, rows, stock) : { drift: [], addsUp: true };
    return { counts, findings, ...compared };
  });
  const money = auditMoney(orders, ledgers);
  const { findings: moneyFindings, ...figures } = money;
  const drift = stock ? [...driftOfSale(sale, stock), ...audited.flatMap((item) => item.drift)] : ['Redis does not have the sale'];
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
