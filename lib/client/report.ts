import type { AuditBody, OrderBody } from './contract.ts';
import type { Rush } from './crowd.ts';
import type { Percentiles } from './latencies.ts';
import { type Finding, isClean, type Purchase } from './verdict.ts';

/** A table in plain text: the first column to the left, numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, column) => (column === 0 ? String(cell).padEnd(widths[column] ?? 0) : String(cell).padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}

/** How many buyers ended with which outcome, most frequent first. */
export function outcomeCounts(purchases: readonly Purchase[]): [outcome: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { outcome } of purchases) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1]);
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
const latencyRow = (name: string, { p50, p90, p99, max }: Percentiles) => [name, ...[p50, p90, p99, max].map((ms) => ms.toFixed(1))];

export interface Run {
  readonly saleId: string;
  readonly rush: Rush;
  readonly audit: AuditBody;
  readonly orders: readonly OrderBody[];
  /** Whether every order had ended when the wait for it was over. */
  readonly quiet: boolean;
}

function auditTable({ items, money, redis }: AuditBody): string {
  const stock = items.map((item) => [
    item.sku.length > 24 ? `…${item.sku.slice(-23)}` : item.sku,
    item.total,
    item.available,
    item.held,
    item.sold,
    item.retired,
    item.conserved ? 'yes' : 'NO',
  ]);
  return [
    'Audit',
    table([['item', 'total', 'available', 'held', 'sold', 'retired', 'conserved'], ...stock]),
    table([
      ['money (minor)', 'authorised', 'captured', 'fulfilled', 'refunded', 'balanced'],
      ['', money.authorisedMinor, money.capturedMinor, money.fulfilledMinor, money.refundedMinor, money.balanced ? 'yes' : 'NO'],
    ]),
    `  Redis ${redis.agrees ? 'agrees' : `DISAGREES: ${JSON.stringify(redis.drift).slice(0, 400)}`}`,
  ].join('\n');
}

/** From the first order placed to the last one changed: exact, however seldom somebody looked. */
function lifetimeMs(orders: readonly OrderBody[]): number {
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { createdAt, updatedAt } of orders) {
    firstMs = Math.min(firstMs, Date.parse(createdAt));
    lastMs = Math.max(lastMs, Date.parse(updatedAt));
  }
  return Math.max(0, lastMs - firstMs);
}

/** What happened, in figures. */
export function summaryOf({ saleId, rush, audit, orders, quiet }: Run): string {
  const statuses = new Map<string, number>();
  for (const { status } of orders) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const retried = rush.requestsSent - rush.picks;
  const furtherPicks = rush.picks - rush.purchases.length;
  return [
    `Sale ${saleId}`,
    '',
    'Outcomes',
    table([['outcome', 'buyers'], ...outcomeCounts(rush.purchases)]),
    `  ${rush.failedAnswers} answers of 5xx or none at all, ${retried} retries${furtherPicks > 0 ? `, ${furtherPicks} times other seats picked` : ''}`,
    '',
    'Latency, ms',
    table([
      ['', 'p50', 'p90', 'p99', 'max'],
      latencyRow('a request', rush.requests.percentiles()),
      latencyRow('a buyer, from the opening', rush.buyers.percentiles()),
    ]),
    `  ${rush.requestsSent} requests in ${seconds(rush.tookMs)}: ${Math.round((rush.requestsSent / rush.tookMs) * 1_000)} requests/s`,
    '',
    'Orders',
    table([['status', 'orders'], ...statuses]),
    quiet ? `  all ended ${seconds(lifetimeMs(orders))} after the first was placed, by the service's clock` : '  NOT ALL ORDERS HAVE ENDED',
    '',
    auditTable(audit),
  ].join('\n');
}

/** The verdict: one line when every guarantee was kept, otherwise what was broken and by whom. */
export function verdictLines(
  findings: readonly Finding[],
  { sold, units, refused }: { sold: number; units: number; refused: number },
): string {
  if (isClean(findings))
    return `VERDICT: clean. ${sold} of ${units} units sold, ${refused} buyers refused, ${findings.length} guarantees checked.`;
  const broken = findings.filter(({ holds }) => !holds);
  return [
    `VERDICT: BROKEN. ${broken.length} of ${findings.length} guarantees do not hold:`,
    ...broken.map(({ guarantee, detail }) => `  ${guarantee}: ${detail}`),
  ].join('\n');
}
