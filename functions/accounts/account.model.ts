/** Bounds of money, in minor units: sums of anything that one account can meet stay exact integers, far below 2^53. */
export const balanceMinorMax = 1_000_000_000_000_000;
export const creditMinorMax = 1_000_000_000_000;

/** A buyer's account. What it holds is the sum of the entries that name it; `balanceMinor` is kept beside them to be compared at once. */
export interface Account {
  readonly userId: string;
  readonly name?: string;
  readonly currency: string;
  readonly balanceMinor: number;
  /** Grows with every movement. */
  readonly version: number;
  readonly createdAtMs: number;
}

/** `receive` and `return` are of money from outside, which comes into escrow and leaves it again. */
export const orderMovements = ['authorise', 'receive', 'capture', 'void', 'return', 'refund'] as const;
export type OrderMovement = (typeof orderMovements)[number];
export type MovementKind = OrderMovement | 'opening' | 'credit';

/** Money that a payment provider took from somebody outside, under the provider's own id. */
export interface OutsidePayment {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** One side of a movement: `user:<id>`, `escrow:<orderId>`, `seller:<saleId>`, `bank` or `outside`. */
export interface Entry {
  readonly account: string;
  readonly amountMinor: number;
}

/** Money that moves, double entry: what one side gives the other side gets. Rows are written once and never changed. */
export interface Movement {
  readonly kind: MovementKind;
  readonly currency: string;
  readonly atMs: number;
  readonly entries: readonly Entry[];
  readonly orderId?: string;
  readonly saleId?: string;
  /** The payment from outside whose money it is. */
  readonly paymentId?: string;
}

/** Entries of one movement do not sum to zero, or an amount is not a whole number that is exact: a fault of this program. */
export class UnbalancedMovement extends Error {
  override readonly name = 'UnbalancedMovement';
}

export const userAccount = (userId: string): string => `user:${userId}`;
export const escrowAccount = (orderId: string): string => `escrow:${orderId}`;
export const sellerAccount = (saleId: string): string => `seller:${saleId}`;
export const bankAccount = 'bank';
/** Where payments from outside come from and go back to. */
export const outsideAccount = 'outside';

/** `-0` is not a number that anyone wants to read in a ledger. */
const minus = (amountMinor: number): number => (amountMinor === 0 ? 0 : -amountMinor);

/** The two entries of `amountMinor` that moves between two accounts. Throws `UnbalancedMovement` on an amount that is no exact, whole, non-negative number. */
export function transfer(from: string, to: string, amountMinor: number): readonly Entry[] {
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) throw new UnbalancedMovement(`${from} -> ${to}: ${amountMinor}`);
  const entries = [
    { account: from, amountMinor: minus(amountMinor) },
    { account: to, amountMinor },
  ];
  assertBalanced(entries);
  return entries;
}

/** Throws `UnbalancedMovement` unless the entries sum to zero. */
export function assertBalanced(entries: readonly Entry[]): void {
  const sum = entries.reduce((total, entry) => total + entry.amountMinor, 0);
  if (sum !== 0) throw new UnbalancedMovement(entries.map((entry) => `${entry.account} ${entry.amountMinor}`).join(', '));
}

/** What an account has by the entries that name it. */
export const balanceByEntries = (account: string, movements: readonly Pick<Movement, 'entries'>[]): number =>
  movements.flatMap((movement) => movement.entries).reduce((sum, entry) => (entry.account === account ? sum + entry.amountMinor : sum), 0);
