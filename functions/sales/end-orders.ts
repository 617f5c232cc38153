import type { Order, TakingBack } from '../orders/order.model.ts';
import type { Clock } from '../shared/clock.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import type { CancellationRepository, EndingPass, OrderPosition } from './cancellation.repository.ts';
import type { Sale } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';

export interface EndOrdersPorts {
  readonly cancellations: CancellationRepository;
  /** Returns when the stock sells nothing of the sale any more. May be repeated. */
  readonly close: (sale: Sale) => Promise<void>;
  readonly closedSince: SaleStock['closedSince'];
  /** A page of the sale's orders beginning at a position, and the position after it; none after the last page. The index may lag behind. */
  readonly ordersFrom: (
    saleId: string,
    position: OrderPosition,
    limit: number,
  ) => Promise<{ readonly orders: readonly Order[]; readonly next: OrderPosition | undefined }>;
  /** Ends an order if it lives; one that has ended is left as it is. May be repeated. */
  readonly endOrder: (order: Order, takenBack: TakingBack) => Promise<void>;
  /** The time by the clock that opens and closes sales. */
  readonly nowMs: () => Promise<number>;
  /** How long a run takes on more orders: others want to be looked after, too. */
  readonly runMs: number;
  readonly clock: Clock;
}

const pageOrders = 50;
const atOnce = 16;
/**
 * The pass that settles it begins this long after the stock was seen to sell no more. An order that was on its way at that moment is written
 * within a function's 15 s, and the index by sale shows it soon after.
 */
export const lastPassAfterMs = 60_000;

/**
 * Ends the orders of a sale that was called off, page by page, for as long as there is time. Progress is kept after each page, so a crash
 * costs one. It is done when a whole pass, begun a minute after the last unit could be taken, has met no order that could not be ended.
 * A stock that has forgotten its closing may have sold since: then it closes again, and the orders are walked over anew, also where all was done.
 * Any number of runs, also at once, come to the same.
 */
export const endOrders = (ports: EndOrdersPorts) => async (sale: Sale, hasTime: () => boolean) => {
  const { saleId, cancellation } = sale;
  if (!cancellation) return;
  const { cancellations, ordersFrom, clock } = ports;
  const takenBack: TakingBack = { reason: cancellation.reason, units: 'retire' };
  const untilMs = clock.nowMs() + ports.runMs;
  const goesOn = () => clock.nowMs() < untilMs && hasTime();

  let pass = await passToWalk(sale, ports);
  while (pass && !pass.ended && goesOn()) {
    const { orders, next } = await ordersFrom(saleId, pass.position, pageOrders);
    const { failed, cutShort } = await endPage(orders, takenBack, goesOn, ports);
    // The page begins anew the next time: those of it that have ended cost nothing then.
    if (cutShort) return;
    pass = { ...pass, failed: pass.failed + failed, position: next ?? pass.position, ended: next === undefined };
    if (settlesIt(pass)) await cancellations.finish(saleId, pass, await ports.nowMs());
    else await cancellations.keep(saleId, pass);
  }
};

const lastPassFromMs = ({ closedAtMs }: EndingPass) => closedAtMs + lastPassAfterMs;
const settlesIt = (pass: EndingPass) => pass.ended && pass.failed === 0 && pass.startedAtMs >= lastPassFromMs(pass);
const passFrom = (startedAtMs: number, closedAtMs: number): EndingPass => {
  return { closedAtMs, startedAtMs, position: { shard: 0 }, failed: 0, ended: false };
};

/** The pass to go on with, or the next one; none when all is done, and while it is too early for the next. */
async function passToWalk(sale: Sale, ports: EndOrdersPorts): Promise<EndingPass | undefined> {
  const { cancellations, nowMs } = ports;
  const known = await cancellations.pass(sale.saleId);
  // The stock first: as long as it may sell, no pass says anything.
  const closedAtMs = await closingOf(sale, known, ports);
  const isOtherClosing = closedAtMs !== undefined && closedAtMs !== known?.closedAtMs;
  if (!known || isOtherClosing) {
    const startedAtMs = await nowMs();
    return cancellations.begin(sale.saleId, passFrom(startedAtMs, closedAtMs ?? startedAtMs), known);
  }
  if (!known.ended) return known;
  if (settlesIt(known)) return undefined;
  const startedAtMs = await nowMs();
  return startedAtMs < lastPassFromMs(known) ? undefined : passFrom(startedAtMs, known.closedAtMs);
}

/**
 * Closes the stock where it is not closed. -> since when it is; undefined where that can't be told: a stock that is not loaded sells nothing, and
 * has a moment of its own once it is. A pass that is under way does not wait for a stock that is away.
 */
async function closingOf(sale: Sale, known: EndingPass | undefined, { close, closedSince }: EndOrdersPorts): Promise<number | undefined> {
  const { saleId } = sale;
  try {
    let seen = await closedSince(saleId, sale.shards);
    if (seen.outcome !== 'CLOSED') {
      await close(sale);
      seen = await closedSince(saleId, sale.shards);
    }
    if (seen.outcome === 'SELLING') throw new Error(`${saleId} was called off, and its stock does not close`);
    return seen.outcome === 'CLOSED' ? seen.sinceMs : undefined;
  } catch (error) {
    if (!known || known.ended) throw error;
    log.warn('whether the stock of a sale that was called off is closed could not be told', { saleId, error });
    return undefined;
  }
}

/** Ends the orders side by side. One order's trouble must not keep the others from their money: it is counted. */
async function endPage(
  orders: readonly Order[],
  takenBack: TakingBack,
  goesOn: () => boolean,
  { endOrder }: EndOrdersPorts,
): Promise<{ failed: number; cutShort: boolean }> {
  const outcome = { failed: 0, cutShort: false };
  await inParallel(orders, atOnce, async (order) => {
    if (!goesOn()) {
      outcome.cutShort = true;
      return;
    }
    try {
      await endOrder(order, takenBack);
    } catch (error) {
      outcome.failed += 1;
      const { saleId, orderId } = order;
      log.warn('an order of a sale that was called off could not be ended', { saleId, orderId, error });
    }
  });
  return outcome;
}
