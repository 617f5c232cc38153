/**
 * Every DynamoDB table: its keys and indexes, once. The constructs make the tables from it, repositories take names from the environment.
 * All attributes named here are strings unless marked as numbers.
 */
export interface TableShape {
  readonly environment: string;
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** Indexes hold keys alone: what a transition changes besides is read from the order. */
  readonly indexes?: Readonly<Record<string, { partitionKey: string; sortKey: string }>>;
  readonly stream?: true;
  readonly expiry?: string;
}

/** Key attributes that hold numbers; all others hold strings. */
export const numberKeys: ReadonlySet<string> = new Set(['version', 'slot', 'dueAtMs', 'pollAtMs', 'chunk']);

export const tables = {
  products: { environment: 'PRODUCTS_TABLE', partitionKey: 'sku' },
  sales: { environment: 'SALES_TABLE', partitionKey: 'saleId' },
  // The names of a sale's seats, packed: a sale's own item could not hold them all.
  seats: { environment: 'SEATS_TABLE', partitionKey: 'saleId', sortKey: 'chunk' },
  orders: {
    environment: 'ORDERS_TABLE',
    partitionKey: 'orderId',
    indexes: {
      // Sparse: an order leaves it when its status rests, its money is settled and its stock is released.
      due: { partitionKey: 'dueShard', sortKey: 'dueAtMs' },
      // One sale's orders arrive all at once: one partition would throttle the table behind it.
      bySale: { partitionKey: 'saleShard', sortKey: 'listKey' },
    },
    // Tombstones alone carry it: they end after a day, orders never.
    expiry: 'expiresAtSeconds',
  },
  // Whose change a row tells: an order's id, or `sale:` and a sale's.
  outbox: {
    environment: 'OUTBOX_TABLE',
    partitionKey: 'subject',
    sortKey: 'version',
    stream: true,
    // Sparse: rows that wait for the poller, and those that it has set aside.
    indexes: { unpublished: { partitionKey: 'pollShard', sortKey: 'pollAtMs' } },
  },
  units: { environment: 'UNITS_TABLE', partitionKey: 'bucket', sortKey: 'unit' },
  allowances: { environment: 'ALLOWANCES_TABLE', partitionKey: 'saleBuyer', sortKey: 'slot' },
  accounts: { environment: 'ACCOUNTS_TABLE', partitionKey: 'userId', sortKey: 'entry' },
  fulfilments: { environment: 'FULFILMENTS_TABLE', partitionKey: 'orderId' },
  // Payments from outside that were taken, each once for its order.
  payments: { environment: 'PAYMENTS_TABLE', partitionKey: 'orderId', sortKey: 'paymentId' },
  // What lists show of orders, by version behind them.
  views: {
    environment: 'VIEWS_TABLE',
    partitionKey: 'orderId',
    indexes: {
      byBuyer: { partitionKey: 'buyerId', sortKey: 'listKey' },
      bySale: { partitionKey: 'saleShard', sortKey: 'listKey' },
      byTime: { partitionKey: 'timeShard', sortKey: 'listKey' },
    },
  },
  // The figures of a sale's items by the events of its orders, beside Redis.
  stockLevels: { environment: 'STOCK_LEVELS_TABLE', partitionKey: 'saleId', sortKey: 'sku' },
  // Which message a consumer has done whose effect can be done only once.
  inbox: { environment: 'INBOX_TABLE', partitionKey: 'message', expiry: 'expiresAtSeconds' },
  // Why a message failed when it was last tried, for whoever finds it among the dead letters.
  failures: { environment: 'FAILURES_TABLE', partitionKey: 'messageId', expiry: 'expiresAtSeconds' },
  // Reports of reconciliations, and what is remembered of each sale between two of them.
  reconciliations: { environment: 'RECONCILIATIONS_TABLE', partitionKey: 'list', sortKey: 'entry', expiry: 'expiresAtSeconds' },
  idempotency: { environment: 'IDEMPOTENCY_TABLE', partitionKey: 'scope', expiry: 'expiresAtSeconds' },
} as const satisfies Record<string, TableShape>;

export type TableName = keyof typeof tables;
export type TableVariable = (typeof tables)[TableName]['environment'];
