import type { Sale } from '../sales/sale.model.ts';
import type { Clock } from '../shared/clock.ts';
import { isSharded, stockIdOf } from '../stock/shards.model.ts';
import type { Hold, LineUnits, StockLine } from '../stock/stock.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import type { ClaimRepository } from './claim.repository.ts';
import { byItem, type Collision } from './collision.model.ts';
import { beyondTotal, followingRun, type KnownSeats, unlistedSeats } from './placement.model.ts';

export interface AllocatePorts {
  readonly sales: { known(saleId: string): Promise<Sale | undefined>; fresh(saleId: string): Promise<Sale | undefined> };
  /** The seats that a copy of the sale has; asked only for who wants seats. */
  readonly seats: { names(sale: Sale): Promise<KnownSeats> };
  readonly stock: Stock;
  readonly claims: ClaimRepository;
  readonly clock: Clock;
}

/** Why there are no units, as far as a hold that Redis gave can tell. */
export type NoUnits =
  | { outcome: 'sold-out'; sku: string; available: number }
  | { outcome: 'seat-taken'; sku: string; seats: readonly string[] }
  | { outcome: 'buyer-limit'; limit: number };

type Answered<Answer> = { outcome: 'answered'; answer: Answer };

/** Whose units these are to be, and what is done at each turn. `Answer` is what the caller makes of it all. */
export interface Allocating<Answer> {
  readonly sale: Sale;
  readonly orderId: string;
  readonly buyerId: string;
  /** Redis holds units for these lines, or there is an answer without. */
  reserve(): Promise<{ outcome: 'held'; hold: Hold; lines: readonly StockLine[] } | Answered<Answer>>;
  /**
   * The one transaction that gives the order the hold's units. `over`: this birth of the hold was ended before. `again`: somebody moved the
   * order, and it wants units still. `collided`: other orders have some of the units or slots.
   */
  commit(
    hold: Hold,
  ): Promise<Answered<Answer> | { outcome: 'over'; bornUs: number } | { outcome: 'again' } | ({ outcome: 'collided' } & Collision)>;
  /** There are no units for this hold: it is given up, the way that its order allows. */
  abandon(hold: Hold, why: NoUnits): Promise<Answer>;
  /** The hold is gone, or the rounds are used up: what the order is now, or that it is not known yet. */
  undecided(): Promise<Answer>;
}

/** A rolled-back Redis costs one or two rounds; more means that something else is wrong, and waiting is better. */
const roundsMax = 5;
/** No round begins later than this: one more transaction and its acknowledgement still fit into the function's time. */
const roundsMsMax = 6_000;

/**
 * Gets units for an order: Redis gives them, one transaction decides. Units that turn out to be owned are swapped, slots that turn out to be used are
 * mended, at most `roundsMax` times. A hold is never given back because an attempt failed: only an order that says so, or a tombstone, ends it.
 */
export async function allocateUnits<Answer>(allocating: Allocating<Answer>, ports: AllocatePorts): Promise<Answer> {
  const { sale, orderId, buyerId } = allocating;
  const { stock, claims } = ports;
  const stockId = stockIdOf({ saleId: sale.saleId, shards: sale.shards, buyerId });
  const startMs = ports.clock.nowMs();
  const hasTime = () => ports.clock.nowMs() - startMs < roundsMsMax;

  for (let round = 0; round < roundsMax && hasTime(); round++) {
    const reserved = await allocating.reserve();
    if (reserved.outcome === 'answered') return reserved.answer;
    const settled = await settle(reserved.hold, reserved.lines);
    if (settled.outcome === 'answered') return settled.answer;
  }
  return allocating.undecided();

  async function settle(first: Hold, lines: readonly StockLine[]): Promise<Answered<Answer> | { outcome: 'reserve-again' }> {
    let hold = first;
    for (let round = 0; round < roundsMax && hasTime(); round++) {
      const committed = await commit(hold, lines);
      switch (committed.outcome) {
        case 'answered':
          return committed;
        case 'over':
          // The sweeper ended this birth of the hold; what comes now is a fresh attempt.
          await stock.release(stockId, { holdId: hold.holdId, cause: 'tombstone', bornUs: committed.bornUs });
          return { outcome: 'reserve-again' };
        case 'again':
          return { outcome: 'reserve-again' };
        case 'collided': {
          if (committed.units.length > 0 || isShort(hold, lines)) {
            const swapped = await swap(hold, lines, committed.units);
            if (swapped.outcome === 'SOLD_OUT') {
              return abandon(hold, { outcome: 'sold-out', sku: swapped.sku, available: swapped.available });
            }
            // No other seat will do, so the whole set is given up.
            if (swapped.outcome === 'SEAT_TAKEN') return abandon(hold, { outcome: 'seat-taken', sku: swapped.sku, seats: swapped.seats });
            if (swapped.outcome !== 'SWAPPED') return undecided();
            hold = { ...hold, lines: swapped.lines };
          }
          if (committed.slots.length > 0) {
            const mending = await mend(hold);
            if (mending.outcome === 'BUYER_LIMIT') return abandon(hold, { outcome: 'buyer-limit', limit: mending.limit });
            if (mending.outcome !== 'MENDED') return undecided();
            hold = { ...hold, slots: mending.slots };
          }
        }
      }
    }
    return undecided();
  }

  async function commit(hold: Hold, lines: readonly StockLine[]) {
    const neverOnSale = await unitsNeverOnSale(hold.lines);
    // A hold that lost units to a swap and found no others is short: it needs units before an order can have it.
    if (neverOnSale.length > 0 || isShort(hold, lines)) return { outcome: 'collided' as const, units: neverOnSale, slots: [] };
    return allocating.commit(hold);
  }

  /** Units that the sale, read again before anything is refused by it, does not have. */
  async function unitsNeverOnSale(held: readonly LineUnits[]): Promise<LineUnits[]> {
    const missingFrom = async (copy: Sale, units: readonly LineUnits[]) => {
      const hasSeats = units.some(({ seated }) => seated);
      return [...beyondTotal(units, copy), ...(hasSeats ? unlistedSeats(units, await ports.seats.names(copy)) : [])];
    };
    const missing = await missingFrom(sale, held);
    return missing.length === 0 ? [] : missingFrom((await ports.sales.fresh(sale.saleId)) ?? sale, missing);
  }

  /** Swaps the collided units, and with them the run of owned ones that follows, so that the next attempt does not meet those. */
  async function swap({ holdId, bornUs, lines: held }: Hold, lines: readonly StockLine[], collided: readonly LineUnits[]) {
    const run = await claims.owners(sale.saleId, followingRun(collided, sale));
    const owned = byItem([
      ...collided.flatMap(({ units, ...line }) => units.map((unit) => ({ ...line, unit }))),
      ...run.filter((owner) => owner.orderId !== orderId),
    ]);
    const exchange = () => stock.swap(stockId, { holdId, bornUs, lines, owned });
    let swapped = await exchange();
    if (!isSharded(sale)) return swapped;
    for (let attempt = 0; swapped.outcome === 'SOLD_OUT' && attempt < roundsMax; attempt++) {
      const { sku, available } = swapped;
      const gathered = await stock.gather(sale, { buyerId, ...shortOf({ sku, available }, held, lines, owned) });
      if (gathered === 'dry') return swapped;
      if (gathered !== 'brought') return { outcome: 'IN_TRANSIT' as const };
      swapped = await exchange();
    }
    // Others were quicker each time, which says nothing of the other shards.
    return swapped.outcome === 'SOLD_OUT' ? { outcome: 'IN_TRANSIT' as const } : swapped;
  }

  /** Redis has forgotten slots that the buyer's rows know: tells it, and takes others. */
  async function mend({ holdId, bornUs }: Hold) {
    const usedSlots = await claims.usedSlots(sale.saleId, buyerId);
    return stock.mendAllowance(stockId, { holdId, bornUs, usedSlots });
  }

  async function abandon(hold: Hold, why: NoUnits): Promise<Answered<Answer>> {
    return { outcome: 'answered', answer: await allocating.abandon(hold, why) };
  }

  async function undecided(): Promise<Answered<Answer>> {
    return { outcome: 'answered', answer: await allocating.undecided() };
  }
}

/** What a swap that was refused lacks: of what its hold could have, some it has kept, and the rest is for sale at the buyer's home. */
function shortOf(
  { sku, available }: { readonly sku: string; readonly available: number },
  held: readonly LineUnits[],
  lines: readonly StockLine[],
  owned: readonly LineUnits[],
) {
  const quantity = lines.find((line) => line.sku === sku)?.quantity ?? 0;
  const others = new Set(owned.filter((line) => line.sku === sku).flatMap(({ units }) => units));
  const kept = held.find((line) => line.sku === sku)?.units.filter((unit) => !others.has(unit)).length ?? 0;
  return { sku, missing: quantity - available, had: available - kept };
}

const isShort = (hold: Hold, lines: readonly StockLine[]) =>
  lines.some(({ sku, quantity }) => (hold.lines.find((line) => line.sku === sku)?.units.length ?? 0) < quantity);
