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
export type LedgerMovement = Pick<Movement, 'kind' | 'currency' | 'entries' | 'orderId'>;

/** A buyer's partition of the ledger. */
export interface Ledger {
  readonly userId: string;
  readonly account?: Pick<Account, 'balanceMinor'>;
  readonly movements: readonly LedgerMovement[];
}

/** What the audit of money looks at in an order. */
export type OrderOfMoney = Pick<Order, 'orderId' | 'buyerId' | 'status' | 'totalMinor' | 'currency' | 'payment'>;

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

/** An order's side, and what was moved for it so far. */
interface OrderMoney {
  readonly order: Pick<OrderOfMoney, 'totalMinor' | 'currency' | 'payment'>;
  readonly moved: OrderMovement[];
  inEscrowMinor: number;
}

/**
 * The sale's money: what the ledger says on one side, what the orders say on the other. What was authorised is what escrow holds, captured and
 * refunded are what was moved; fulfilled is what orders are worth that are fulfilled now. First come the orders, then their buyers' ledgers.
 */
export class MoneyAudit {
  readonly #findings: Findings;
  readonly #orders = new Map<string, OrderMoney>();
  readonly #moved: Readonly<Record<OrderMovement, Sum>> = { authorise: new Sum(), capture: new Sum(), void: new Sum(), refund: new Sum() };
  readonly #fulfilled = new Sum();
  /** Captured for orders that are not fulfilled: on their way there, or on their way back until the money has left. */
  readonly #paidNotFulfilled = new Sum();
  readonly #outstanding = new Sum();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** An order of the sale, each once. */
  seeOrder({ orderId, status, totalMinor, currency, payment }: OrderOfMoney): void {
    this.#orders.set(orderId, { order: { totalMinor, currency, payment }, moved: [], inEscrowMinor: 0 });
    if (status === 'FULFILLED') this.#fulfilled.add(totalMinor);
    else if (payment.state === 'captured') this.#paidNotFulfilled.add(totalMinor);
    if (payment.state === 'authorised') this.#outstanding.add(totalMinor);
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
    const amountMinor = amountOf(movement);
    this.#moved[kind].add(amountMinor);
    own.moved.push(kind);
    own.inEscrowMinor += balanceByEntries(escrowAccount(orderId), [movement]);
    const isOfOrder = amountMinor === own.order.totalMinor && movement.currency === own.order.currency;
    if (!isOfOrder) this.#findings.add(`${orderId}: its ${kind} is not of its total`);
  }

  /** The figures, once all was seen. */
  conclude(): MoneyFigures {
    for (const [orderId, own] of this.#orders) this.#compare(orderId, own);
    const { authorise, capture, void: voided, refund } = this.#moved;
    const figures = {
      authorisedMinor: authorise.minor - capture.minor - voided.minor,
      capturedMinor: capture.minor,
      fulfilledMinor: this.#fulfilled.minor,
      refundedMinor: refund.minor,
    };
    this.#expectEqual('captured', figures.capturedMinor, figures.fulfilledMinor + figures.refundedMinor + this.#paidNotFulfilled.minor);
    this.#expectEqual('authorised', figures.authorisedMinor, this.#outstanding.minor);
    return figures;
  }

  #compare(orderId: string, { order: { totalMinor, payment }, moved, inEscrowMinor }: OrderMoney): void {
    const wanted = payment.method === 'balance' ? movementsBehind[payment.state] : [];
    if (moved.toSorted().join() !== wanted.toSorted().join())
      this.#findings.add(`${orderId} has the movements ${moved.toSorted().join(', ') || 'none'}, and its payment is ${payment.state}`);
    const wantedInEscrowMinor = payment.state === 'authorised' && payment.method === 'balance' ? totalMinor : 0;
    if (inEscrowMinor !== wantedInEscrowMinor)
      this.#findings.add(`${orderId} has ${inEscrowMinor} in escrow, and its payment is ${payment.state}`);
  }

  #expectEqual(what: string, byLedgerMinor: number, byOrdersMinor: number): void {
    if (byLedgerMinor !== byOrdersMinor) this.#findings.add(`${what}: ${byLedgerMinor} by the ledger, ${byOrdersMinor} by the orders`);
  }
}

const isOrderMovement = (kind: Movement['kind']): kind is OrderMovement => (orderMovements as readonly string[]).includes(kind);

const sumOfEntries = ({ entries }: LedgerMovement): number => entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0);

/** What a movement moves: the sum of what is given, which is what is taken. */
const amountOf = ({ entries }: LedgerMovement): number => entries.reduce((sum, { amountMinor }) => sum + Math.max(amountMinor, 0), 0);
