import { type Movement, orderMovements } from '../accounts/account.model.ts';
import type { Ticket } from '../orders/order.model.ts';
import type { OutboxRow } from '../orders/outbox.schemas.ts';
import type { PaymentRow } from '../payments/payment.model.ts';

/** What is known of an order's past, as it is stored. */
export interface OrderHistory {
  /** Its transitions, of which each stands in the outbox for good. */
  readonly rows: readonly OutboxRow[];
  /** What its transitions moved in the buyer's ledger. */
  readonly movements: readonly Movement[];
  /** Payments from outside that came for it, kept or sent back. */
  readonly payments: readonly PaymentRow[];
  readonly fulfilment: { readonly tickets: readonly Ticket[]; readonly fulfilledAtMs: number } | undefined;
}

type Rest =
  | { readonly kind: 'transition'; readonly version: number; readonly status: string; readonly paymentState: string }
  | { readonly kind: 'stock'; readonly version: number; readonly items: OutboxRow['stock'] }
  | {
      readonly kind: 'event';
      readonly version: number;
      readonly name: string;
      readonly eventId: string;
      readonly data: Record<string, unknown>;
    }
  | ({ readonly kind: 'payment' } & Pick<PaymentRow, 'paymentId' | 'amountMinor' | 'currency' | 'state'>)
  | ({ readonly kind: 'movement'; readonly name: string } & Pick<Movement, 'currency' | 'paymentId' | 'entries'>)
  | { readonly kind: 'fulfilment'; readonly tickets: number };

export type TimelineEntry = Rest & { readonly atMs: number };

interface Placed {
  readonly entry: TimelineEntry;
  /** The version that it came about with, as far as that can be told. */
  readonly version: number;
}

/** Within one transition: what caused it, what changed, then what that means for stock, money and goods, then who was told. */
const ranks = { payment: 0, transition: 1, stock: 2, movement: 3, fulfilment: 4, event: 5 } as const satisfies Record<Rest['kind'], number>;

const movementNames: readonly string[] = orderMovements;
/** Of money that moves in one transaction: it is there before it is taken or given back. */
const moneyRank = (entry: TimelineEntry): number => (entry.kind === 'movement' ? movementNames.indexOf(entry.name) : 0);

/**
 * Everything that happened to an order, in order. Versions tell the order of transitions, and not clocks, which differ from one function to the
 * next; what has no version goes with the transition of its very moment, which wrote it, or behind the last one before it.
 */
export function timelineOf({ rows, movements, payments, fulfilment }: OrderHistory): TimelineEntry[] {
  const byVersion = rows.toSorted((a, b) => a.version - b.version);
  const versionAt = (atMs: number): number =>
    byVersion.find((row) => row.atMs === atMs)?.version ?? byVersion.findLast((row) => row.atMs <= atMs)?.version ?? 0;
  const placed = (entry: TimelineEntry): Placed => ({ entry, version: 'version' in entry ? entry.version : versionAt(entry.atMs) });

  const all = [
    ...byVersion.flatMap(entriesOf),
    ...payments.map(
      ({ paymentId, amountMinor, currency, state, atMs }): TimelineEntry => ({
        kind: 'payment',
        paymentId,
        amountMinor,
        currency,
        state,
        atMs,
      }),
    ),
    ...movements.map(
      ({ kind, paymentId, currency, entries, atMs }): TimelineEntry => ({
        kind: 'movement',
        name: kind,
        ...(paymentId === undefined ? {} : { paymentId }),
        currency,
        entries,
        atMs,
      }),
    ),
    ...(fulfilment ? [{ kind: 'fulfilment' as const, tickets: fulfilment.tickets.length, atMs: fulfilment.fulfilledAtMs }] : []),
  ];
  return all
    .map(placed)
    .sort(
      (a, b) =>
        a.version - b.version ||
        ranks[a.entry.kind] - ranks[b.entry.kind] ||
        a.entry.atMs - b.entry.atMs ||
        moneyRank(a.entry) - moneyRank(b.entry),
    )
    .map(({ entry }) => entry);
}

function entriesOf({ orderId, version, status, paymentState, stock, events, atMs }: OutboxRow): TimelineEntry[] {
  return [
    { kind: 'transition', version, status, paymentState, atMs },
    ...(stock.length > 0 ? [{ kind: 'stock' as const, version, items: stock, atMs }] : []),
    ...events.map(({ name, data }) => ({ kind: 'event' as const, version, name, eventId: `${orderId}#${version}#${name}`, data, atMs })),
  ];
}
