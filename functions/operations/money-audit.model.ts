import {
  type Account,
  balanceByEntries,
  escrowAccount,
  type Movement,
  type OrderMovement,
  orderMovements,
  userAccount,
} from '../accounts/account.model.ts';
import type { Order, PaymentState } from '../orders/order.model.ts';
import type { Findings } from './findings.model.ts';

/** What the audit looks at in a movement. */
export type LedgerMovement = Pick<Movement, 'kind' | 'currency' | 'entries' | 'orderId' | 'paymentId'>;

/** A buyer's partition of the ledger. */
export interface Ledger {
  readonly userId: string;
  readonly account?: Pick<Account, 'balanceMinor'>;
  readonly movements: readonly LedgerMovement[];
}

/** What the audit of money looks at in an order. */
export type OrderOfMoney = Pick<Order, 'orderId' | 'buyerId' | 'status' | 'totalMinor' | 'currency' | 'payment' | 'late'>;

export interface MoneyFigures {
  readonly authorisedMinor: number;
  readonly capturedMinor: number;
  readonly fulfilledMinor: number;
  readonly refundedMinor: number;
}

/** A sum that is no exact integer any more: the bounds of prices and units do not let it come to that. */
export class InexactSum extends Error {
  override readonly name = 'InexactSum';
}

class Sum {
  #minor = 0;

  add(amountMinor: number): void {
    this.#minor += amountMinor;
    if (!Number.isSafeInteger(this.#minor)) throw new InexactSum(`amounts add up to ${this.#minor}`);
  }

  get minor(): number {
    return this.#minor;
  }
}

/** The movements that an order must have behind it, each once, by the state of its payment. */
const movementsBehind: Record<PaymentState, readonly OrderMovement[]> = {
  none: [],
  declined: [],
  authorised: ['authorise'],
  voided: ['authorise', 'void'],
  captured: ['authorise', 'capture'],
  refunded: ['authorise', 'capture', 'refund'],
};

/** The same of an order that is paid from outside: its money comes into escrow by itself, and nothing is set aside. */
const movementsOutside: Record<PaymentState, readonly OrderMovement[]> = {
  ...movementsBehind,
  captured: ['receive', 'capture'],
  refunded: ['receive', 'capture', 'refund'],
};

/** What was moved in one currency so far. */
interface Moved {
  readonly kinds: OrderMovement[];
  inEscrowMinor: number;
}

/** An order's side, and what was moved for it so far. */
interface OrderMoney extends Moved {
  readonly order: Pick<OrderOfMoney, 'totalMinor' | 'currency' | 'payment' | 'late'>;
  /** Payments from outside that did not pay the order, by payment and currency. Few orders have any. */
  strays?: Map<string, Moved>;
}

/**
 * The sale's money: what the ledger says on one side, what the orders say on the other. What was authorised is what escrow holds, captured and
 * refunded are what was moved; fulfilled is what orders are worth that are fulfilled now. First come the orders, then their buyers' ledgers.
 */
export class MoneyAudit {
  readonly #findings: Findings;
  readonly #orders = new Map<string, OrderMoney>();
  readonly #moved = Object.fromEntries(orderMovements.map((kind) => [kind, new Sum()])) as Readonly<Record<OrderMovement, Sum>>;
  readonly #fulfilled = new Sum();
  /** Captured for orders that are not fulfilled: on their way there, or on their way back until the money has left. */
  readonly #paidNotFulfilled = new Sum();
  readonly #outstanding = new Sum();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** An order of the sale, each once. */
  seeOrder({ orderId, status, totalMinor, currency, payment, late }: OrderOfMoney): void {
    const order = { totalMinor, currency, payment, ...(late ? { late } : {}) };
    this.#orders.set(orderId, { order, kinds: [], inEscrowMinor: 0 });
    if (status === 'FULFILLED') this.#fulfilled.add(totalMinor);
    else if (payment.state === 'captured') this.#paidNotFulfilled.add(totalMinor);
    if (payment.state === 'authorised') this.#outstanding.add(totalMinor);
    if (late) this.#outstanding.add(totalMinor);
  }

  isOrder(orderId: string): boolean {
    return this.#orders.has(orderId);
  }

  /** All that a buyer's partition has, each buyer once. It may hold movements of other sales: those count towards the balance alone. */
  seeLedger({ userId, account, movements }: Ledger): void {
    const { balanceMinor } = account ?? { balanceMinor: 0 };
    for (const movement of movements) {
      if (sumOfEntries(movement) !== 0)
        this.#findings.add(`${userId}: the entries of ${movement.kind} ${movement.orderId ?? ''} do not sum to zero`);
      this.#seeMovement(movement);
    }
    const byEntries = balanceByEntries(userAccount(userId), movements);
    if (byEntries !== balanceMinor) this.#findings.add(`${userId} has ${balanceMinor}, by entries ${byEntries}`);
  }

  #seeMovement(movement: LedgerMovement): void {
    const { kind, orderId = '' } = movement;
    const own = this.#orders.get(orderId);
    if (!own || !isOrderMovement(kind)) return;
    const moved = isOfOwnMoney(own, movement) ? own : strayOf(own, movement);
    moved.kinds.push(kind);
    moved.inEscrowMinor += balanceByEntries(escrowAccount(orderId), [movement]);
    if (moved !== own) return;
    const amountMinor = amountOf(movement);
    this.#moved[kind].add(amountMinor);
    const isOfOrder = amountMinor === own.order.totalMinor && movement.currency === own.order.currency;
    if (!isOfOrder) this.#findings.add(`${orderId}: its ${kind} is not of its total`);
  }

  /** The figures, once all was seen. */
  conclude(): MoneyFigures {
    for (const [orderId, own] of this.#orders) this.#compare(orderId, own);
    const { authorise, receive, capture, void: voided, return: returned, refund } = this.#moved;
    const figures = {
      authorisedMinor: authorise.minor + receive.minor - capture.minor - voided.minor - returned.minor,
      capturedMinor: capture.minor,
      fulfilledMinor: this.#fulfilled.minor,
      refundedMinor: refund.minor,
    };
    this.#expectEqual('captured', figures.capturedMinor, figures.fulfilledMinor + figures.refundedMinor + this.#paidNotFulfilled.minor);
    this.#expectEqual('authorised', figures.authorisedMinor, this.#outstanding.minor);
    return figures;
  }

  #compare(orderId: string, { order: { totalMinor, payment, late }, kinds, inEscrowMinor, strays }: OrderMoney): void {
    const behind = payment.method === 'balance' ? movementsBehind : movementsOutside;
    const wanted: readonly OrderMovement[] = [...behind[payment.state], ...(late ? (['receive'] as const) : [])];
    if (namesOf(kinds) !== namesOf(wanted))
      this.#findings.add(`${orderId} has the movements ${namesOf(kinds) || 'none'}, and its payment is ${payment.state}`);
    const wantedInEscrowMinor = payment.state === 'authorised' || late ? totalMinor : 0;
    if (inEscrowMinor !== wantedInEscrowMinor)
      this.#findings.add(`${orderId} has ${inEscrowMinor} in escrow, and its payment is ${payment.state}`);
    for (const [payment, stray] of strays ?? []) {
      const isBack = namesOf(stray.kinds) === namesOf(['receive', 'return']) && stray.inEscrowMinor === 0;
      if (!isBack) this.#findings.add(`${orderId} did not keep ${payment}, which has the movements ${namesOf(stray.kinds)}`);
    }
  }

  #expectEqual(what: string, byLedgerMinor: number, byOrdersMinor: number): void {
    if (byLedgerMinor !== byOrdersMinor) this.#findings.add(`${what}: ${byLedgerMinor} by the ledger, ${byOrdersMinor} by the orders`);
  }
}

/** Whether it moves the order's own money: of its account, of the payment that paid it, or of the one that came late. */
const isOfOwnMoney = ({ order: { payment, late } }: OrderMoney, { paymentId }: LedgerMovement): boolean =>
  paymentId === undefined || paymentId === payment.paymentId || paymentId === late?.paymentId;

function strayOf(own: OrderMoney, { paymentId, currency }: LedgerMovement): Moved {
  own.strays ??= new Map();
  const key = `${paymentId} in ${currency}`;
  const stray = own.strays.get(key) ?? { kinds: [], inEscrowMinor: 0 };
  own.strays.set(key, stray);
  return stray;
}

const namesOf = (kinds: readonly OrderMovement[]): string => kinds.toSorted().join(', ');

const isOrderMovement = (kind: Movement['kind']): kind is OrderMovement => (orderMovements as readonly string[]).includes(kind);

const sumOfEntries = ({ entries }: LedgerMovement): number => entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0);

/** What a movement moves: the sum of what is given, which is what is taken. */
const amountOf = ({ entries }: LedgerMovement): number => entries.reduce((sum, { amountMinor }) => sum + Math.max(amountMinor, 0), 0);
