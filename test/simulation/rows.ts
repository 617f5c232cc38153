import type { DynamoModel } from './dynamodb/model.ts';

// What the checker reads, in its own words: it takes nothing from the code that it checks, so that a rule that is wrong there is not wrong here too.

export interface OrderRow {
  readonly orderId: string;
  readonly tombstone?: true;
  readonly holdId: string;
  readonly saleId: string;
  readonly buyerId: string;
  readonly status: string;
  readonly failure?: string;
  readonly version: number;
  readonly strategy: string;
  readonly items: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly units: readonly string[];
    readonly priceMinor: number;
  }[];
  readonly first?: { readonly items: OrderRow['items'] };
  readonly slots: readonly number[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly payment: { readonly method: string; readonly state: string; readonly paymentId?: string };
  readonly late?: { readonly paymentId: string };
  readonly takenBack?: { readonly units: 'free' | 'retire' };
  readonly stock: string;
  readonly dueAtMs?: number;
  readonly dueShard?: string;
}

export interface UnitRow {
  readonly bucket: string;
  readonly unit: string;
  readonly saleId: string;
  readonly sku: string;
  readonly orderId: string;
  readonly buyerId: string;
  readonly state: string;
}

export interface AllowanceRow {
  readonly saleBuyer: string;
  readonly slot: number;
  readonly orderId: string;
}

export interface MovementRow {
  readonly userId: string;
  readonly entry: string;
  readonly kind: string;
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly currency: string;
  readonly entries: readonly { readonly account: string; readonly amountMinor: number }[];
}

export interface AccountRow {
  readonly userId: string;
  readonly entry: 'account';
  readonly balanceMinor: number;
}

export interface PaymentRow {
  readonly orderId: string;
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

export interface SaleRow {
  readonly saleId: string;
  readonly version: number;
  readonly control: string;
  readonly perBuyerLimit?: number;
  /** Called off. */
  readonly cancellation?: object;
  readonly items: readonly { readonly sku: string; readonly total: number; readonly seated: boolean; readonly priceMinor: number }[];
}

export interface ViewRow {
  readonly orderId: string;
  readonly version: number;
  readonly status: string;
}

export interface LevelRow {
  readonly saleId: string;
  readonly sku: string;
  readonly held?: number;
  readonly sold?: number;
  readonly retired?: number;
  readonly total?: number;
}

/** All rows at one moment. */
export interface Rows {
  readonly orders: readonly OrderRow[];
  readonly units: readonly UnitRow[];
  readonly allowances: readonly AllowanceRow[];
  readonly accounts: readonly AccountRow[];
  readonly movements: readonly MovementRow[];
  readonly payments: readonly PaymentRow[];
  readonly sale: SaleRow | undefined;
  /** The names of seats by item. */
  readonly seats: ReadonlyMap<string, ReadonlySet<string>>;
  readonly views: readonly ViewRow[];
  readonly levels: readonly LevelRow[];
}

type Database = Pick<DynamoModel, 'items'>;

/** Everything that is stored, tombstones left out. */
export function rowsOf(database: Database, saleId: string): Rows {
  const all = <Row>(table: string) => database.items(table) as unknown as readonly Row[];
  const ledger = all<AccountRow | MovementRow>('accounts');
  return {
    orders: all<OrderRow>('orders').filter(({ tombstone }) => tombstone !== true),
    units: all<UnitRow>('units'),
    allowances: all<AllowanceRow>('allowances'),
    accounts: ledger.filter((row): row is AccountRow => row.entry === 'account'),
    movements: ledger.filter((row): row is MovementRow => row.entry !== 'account'),
    payments: all<PaymentRow>('payments'),
    sale: all<SaleRow>('sales').find((sale) => sale.saleId === saleId),
    seats: seatsOf(all<SeatChunk>('seats')),
    views: all<ViewRow>('views'),
    levels: all<LevelRow>('stockLevels'),
  };
}

interface SeatChunk {
  readonly items: readonly { readonly sku: string; readonly seats: readonly string[] }[];
}

function seatsOf(chunks: readonly SeatChunk[]): Map<string, Set<string>> {
  const bySku = new Map<string, Set<string>>();
  for (const { sku, seats } of chunks.flatMap(({ items }) => items)) {
    const names = bySku.get(sku) ?? new Set();
    bySku.set(sku, names);
    for (const seat of seats) names.add(seat);
  }
  return bySku;
}

/** The orders by id. */
export const ordersById = ({ orders }: Pick<Rows, 'orders'>): Map<string, OrderRow> =>
  new Map(orders.map((order) => [order.orderId, order]));

/** What an entry's account gets, over these movements. */
export const balanceOf = (account: string, movements: readonly MovementRow[]): number =>
  movements.flatMap(({ entries }) => entries).reduce((sum, entry) => (entry.account === account ? sum + entry.amountMinor : sum), 0);
