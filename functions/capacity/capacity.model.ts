import * as z from 'zod';
import type { Sale } from '../sales/sale.model.ts';

/** What a deployment asks for, as its stack's parameters say it. All of it is off while both wants are 0. */
export const Prewarm = z.strictObject({
  /** Environments of the reserve function that one sale wants ready, and all sales together at most. */
  concurrency: z.int().min(0),
  concurrencyMax: z.int().min(1),
  /** Write units a second that one sale wants of each table that an order is written to, and all sales together at most. */
  writeUnits: z.int().min(0),
  writeUnitsMax: z.int().min(1),
  /** How long before it opens a sale's environments are asked for. */
  leadMinutes: z.int().min(1),
  /** How long they stay after it has closed: who comes too late is answered too. */
  graceMinutes: z.int().min(0),
  /** How long after its opening a sale has them at most, however long it goes on: the crowd is at the door when it opens. */
  hoursMax: z.int().min(1),
});
export type Prewarm = z.infer<typeof Prewarm>;

/** What the parts must have ready at a moment. */
export interface Level {
  /** Environments of the reserve function. */
  readonly concurrency: number;
  /** Write units a second of each table that an order is written to. */
  readonly writeUnits: number;
}

export const nothingWarm: Level = { concurrency: 0, writeUnits: 0 };

/**
 * Tables are asked a day ahead: DynamoDB promises no time for it, more takes longer, and it costs the same whenever it is done, because what was
 * raised never comes down.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
 */
export const tableLeadMs = 86_400_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
/** A schedule keeps the minute and not the second, so what begins within the next minute is begun already. */
export const schedulePrecisionMs = minuteMs;

type SaleWindow = Pick<Sale, 'control' | 'opensAtMs' | 'closesAtMs'>;

export const isOn = ({ concurrency, writeUnits }: Prewarm): boolean => concurrency > 0 || writeUnits > 0;

/** When a sale wants what; nothing once an operator has closed it. From a bound on, and no longer at the other. */
export function spanOf({ control, opensAtMs, closesAtMs }: SaleWindow, { leadMinutes, graceMinutes, hoursMax }: Prewarm) {
  if (control === 'closed') return undefined;
  return {
    tablesFromMs: opensAtMs - Math.max(tableLeadMs, leadMinutes * minuteMs),
    fromMs: opensAtMs - leadMinutes * minuteMs,
    untilMs: Math.min(closesAtMs + graceMinutes * minuteMs, opensAtMs + hoursMax * hourMs),
  };
}

/** What all these sales want at a moment: each sale brings a crowd of its own, so wants add up, to the bound. */
export function levelAt(sales: readonly SaleWindow[], wants: Prewarm, nowMs: number): Level {
  const spans = sales.map((sale) => spanOf(sale, wants)).filter((span) => span !== undefined);
  const open = spans.filter(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs).length;
  const near = spans.filter(({ tablesFromMs, untilMs }) => tablesFromMs <= nowMs && nowMs < untilMs).length;
  return {
    concurrency: Math.min(open * wants.concurrency, wants.concurrencyMax),
    writeUnits: Math.min(near * wants.writeUnits, wants.writeUnitsMax),
  };
}

/** What must be ready now: also what a sale wants within the precision of schedules, one of which may have called too early. */
export function neededLevel(sales: readonly SaleWindow[], wants: Prewarm, nowMs: number): Level {
  const [now, soon] = [levelAt(sales, wants, nowMs), levelAt(sales, wants, nowMs + schedulePrecisionMs)];
  return { concurrency: Math.max(now.concurrency, soon.concurrency), writeUnits: Math.max(now.writeUnits, soon.writeUnits) };
}

/** The moments at which a sale's wants change, by name. */
export const edgeNames = ['tables', 'warm', 'cool'] as const;
export type EdgeName = (typeof edgeNames)[number];
export type Edges = Readonly<Partial<Record<EdgeName, number>>>;

/** When to look because of a sale, by the name of the moment; none for what is past, and none for what nobody asked for. */
export function edgesAhead(sale: SaleWindow, wants: Prewarm, nowMs: number): Edges {
  const span = spanOf(sale, wants);
  if (!span) return {};
  const edges: Edges = {
    ...(wants.writeUnits > 0 ? { tables: span.tablesFromMs } : {}),
    ...(wants.concurrency > 0 ? { warm: span.fromMs, cool: span.untilMs } : {}),
  };
  return Object.fromEntries(Object.entries(edges).filter(([, atMs]) => atMs > nowMs));
}
