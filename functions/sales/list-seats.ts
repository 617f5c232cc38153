import type { Clock } from '../shared/clock.ts';
import type { KnownSeats } from './known-seats.ts';
import { hasClosed } from './sale.model.ts';
import type { AskForRebuild, SaleStock } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { SeatAnswer } from './sale.schemas.ts';

export interface ListSeatsPorts {
  readonly sales: Pick<SaleRepository, 'get'>;
  readonly knownSeats: Pick<KnownSeats, 'list'>;
  /** Anybody may ask for any sale: it asks for no rebuild by itself. */
  readonly stock: Pick<SaleStock, 'seatStates'>;
  readonly askForRebuild: AskForRebuild;
  readonly clock: Clock;
}

export type ListSeatsOutcome =
  | { outcome: 'page'; seats: SeatAnswer[]; next: string | undefined }
  | { outcome: 'not-found' | 'not-seated' | 'bad-position' | 'stock-not-ready' };

/** A page of an item's seats with their states, in the order in which they were put on sale. A position is the number of seats before it. */
export async function listSeats(
  saleId: string,
  page: { readonly sku: string; readonly limit: number; readonly after?: string | undefined },
  { sales, knownSeats, stock, askForRebuild, clock }: ListSeatsPorts,
): Promise<ListSeatsOutcome> {
  const sale = await sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' };
  if (!sale.items.some(({ sku, seated }) => sku === page.sku && seated)) return { outcome: 'not-seated' };
  const all = (await knownSeats.list(sale)).get(page.sku) ?? [];
  const { after = '0', limit } = page;
  // The list only grows, so a position that was given out stays one.
  const isPosition = /^\d{1,5}$/.test(after) && Number(after) < all.length;
  if (!isPosition) return { outcome: 'bad-position' };
  const shown = all.slice(Number(after), Number(after) + limit);
  const found = await stock.seatStates(saleId, page.sku, shown);
  if (found.outcome === 'NOT_LOADED' && !hasClosed(sale, clock.nowMs())) {
    await askForRebuild(saleId);
    return { outcome: 'stock-not-ready' };
  }
  // Of a closed sale whose stock is gone nothing is to be had any more, and there may be nobody left to bring it back.
  const states = found.outcome === 'STATES' ? found.states : [];
  const nextAt = Number(after) + shown.length;
  return {
    outcome: 'page',
    seats: shown.map((seat, index) => ({ seat, state: publicState(states[index]) })),
    next: nextAt < all.length ? String(nextAt) : undefined,
  };
}

/** A seat that the stock has not heard of yet is not to be had at this moment. */
const publicState = (state: 'free' | 'held' | 'sold' | 'unknown' | undefined): SeatAnswer['state'] =>
  state === undefined || state === 'unknown' ? 'held' : state;
