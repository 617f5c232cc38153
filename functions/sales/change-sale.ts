import type { Clock } from '../shared/clock.ts';
import type { TransactOutcome, Write } from '../shared/dynamo.ts';
import type { OutboxTarget } from '../shared/outbox.ts';
import { again, untilSettled } from '../shared/retry.ts';
import { type ChangeDecision, decideChange, eventsOfChange, type SaleChanges, type SaleWish } from './control.model.ts';
import { answerNow, pushSale, saleNowMs } from './push-sale.ts';
import type { Sale } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { SaleAnswer } from './sale.schemas.ts';
import { changeSaleWrite, saleOutboxWrite } from './sale.writes.ts';
import { type SaleOutboxRow, saleSubject } from './sale-outbox.model.ts';

/** What every change of a sale by an operator needs. */
export interface ControlPorts {
  readonly sales: Pick<SaleRepository, 'get'>;
  readonly stock: Pick<SaleStock, 'update' | 'addSeats' | 'settled' | 'read' | 'nowMs'>;
  readonly transact: (writes: Write[]) => Promise<TransactOutcome>;
  readonly tables: { readonly sales: string; readonly seats: string; readonly outbox: OutboxTarget };
  readonly clock: Clock;
}

export type ChangeSaleOutcome =
  | { outcome: 'changed'; sale: SaleAnswer }
  | { outcome: 'not-found' | 'stock-not-ready' }
  | { outcome: Exclude<ChangeDecision['outcome'], 'change' | 'unchanged'> };

/**
 * Changes a sale as an operator wishes, and answers when the stock goes by it. Repeating it changes nothing and brings the sale to the stock
 * again, so an attempt that died half-way is healed by the next one. `by` is who wishes it.
 */
export async function changeSale(saleId: string, wish: SaleWish, by: string, ports: ControlPorts): Promise<ChangeSaleOutcome> {
  const settled = await untilSettled(() => tryToChange(saleId, wish, by, ports));
  if (settled.outcome !== 'settled') return settled;
  // After the database: a stock that is ahead of its sale would be set back by whoever brings it the sale as it is.
  await pushSale(settled.sale, ports.stock);
  const answer = await answerNow(settled.sale, ports);
  // It is changed all the same, and a repeat says so once the stock is there again.
  return answer ? { outcome: 'changed', sale: answer } : { outcome: 'stock-not-ready' };
}

async function tryToChange(saleId: string, wish: SaleWish, by: string, ports: ControlPorts) {
  const sale = await ports.sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' } as const;
  const nowMs = await saleNowMs(ports);
  const decision = decideChange(sale, wish, nowMs);
  if (decision.outcome === 'unchanged') return { outcome: 'settled', sale } as const;
  if (decision.outcome !== 'change') return decision;
  const next: Sale = { ...sale, ...decision.changes, version: sale.version + 1 };
  const row = changeRow(next, by, decision.changes, eventsOfChange(sale, next, by, nowMs), nowMs);
  const written = await ports.transact(changeWrites(sale, decision.changes, row, ports.tables));
  return written.outcome === 'committed' ? ({ outcome: 'settled', sale: next } as const) : again;
}

/** The outbox row of a change that has made `next` of a sale. */
export const changeRow = (
  next: Pick<Sale, 'saleId' | 'version'>,
  by: string,
  changes: Record<string, unknown>,
  events: SaleOutboxRow['events'],
  atMs: number,
): SaleOutboxRow => ({ subject: saleSubject(next.saleId), version: next.version, saleId: next.saleId, by, changes, events, atMs });

/** The writes of every change: the sale by its version, and what the outbox says of it. */
export const changeWrites = (sale: Sale, changes: SaleChanges, row: SaleOutboxRow, tables: ControlPorts['tables']): Write[] => [
  changeSaleWrite(sale, changes, tables.sales),
  saleOutboxWrite(row, tables.outbox),
];
