import {
  type Account,
  balanceByEntries,
  escrowAccount,
  type Movement,
  type OrderMovement,
  userAccount,
} from '../accounts/account.model.ts';
import type { Order, PaymentState } from '../orders/order.model.ts';
import type { Finding } from './unit-audit.model.ts';

/** A buyer's partition of the ledger. */
export interface Ledger {
  readonly userId: string;
  readonly account?: Account;
  readonly movements: readonly Movement[];
}

export interface MoneyAudit {
  readonly authorisedMinor: number;
  readonly capturedMinor: number;
  readonly fulfilledMinor: number;
  readonly refundedMinor: number;
  readonly findings: readonly Finding[];
}

/** A sum that is no exact integer any more: the bounds of prices and units do not let it come to that. */
export class InexactSum extends Error {
  override readonly name = 'InexactSum';
}

function sumOf(amounts: readonly number[]): number {
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  if (!Number.isSafeInteger(sum)) throw new InexactSum(`${amounts.length} amounts add up to ${sum}`);
  return sum;
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

/**
 * The sale's money: what the ledger says on one side, what the orders say on the other. `authorisedMinor` is what escrow holds, captured
 * and refunded are what was moved; fulfilled is what orders are worth that are fulfilled now.
 */
export function auditMoney(orders: readonly Order[], ledgers: readonly Ledger[]): MoneyAudit {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const moved = ledgers.flatMap(({ movements }) => movements).filter(({ orderId }) => orderId !== undefined && byId.has(orderId));
  const amountsOf = (kind: OrderMovement) => sumOf(moved.filter((movement) => movement.kind === kind).map(amountOf));
  const worth = (wanted: (order: Order) => boolean) => sumOf(orders.filter(wanted).map(({ totalMinor }) => totalMinor));

  const figures = {
    authorisedMinor: amountsOf('authorise') - amountsOf('capture') - amountsOf('void'),
    capturedMinor: amountsOf('capture'),
    fulfilledMinor: worth(({ status }) => status === 'FULFILLED'),
    refundedMinor: amountsOf('refund'),
  };
  const paidNotFulfilledMinor = worth(({ status, payment }) => payment.state === 'captured' && status !== 'FULFILLED');
  const movedOf = Map.groupBy(moved, ({ orderId }) => orderId);
  const outstandingMinor = worth(({ payment }) => payment.state === 'authorised');
  return {
    ...figures,
    findings: [
      ...unequal('captured', figures.capturedMinor, figures.fulfilledMinor + figures.refundedMinor + paidNotFulfilledMinor),
      ...unequal('authorised', figures.authorisedMinor, outstandingMinor),
      ...orders.flatMap((order) => findingsOfOrder(order, movedOf.get(order.orderId) ?? [])),
      ...ledgers.flatMap(findingsOfLedger),
    ],
  };
}

/** What a movement moves: the sum of what is given, which is what is taken. */
const amountOf = ({ entries }: Movement): number => entries.reduce((sum, { amountMinor }) => sum + Math.max(amountMinor, 0), 0);

const unequal = (what: string, byLedger: number, byOrders: number): Finding[] =>
  byLedger === byOrders ? [] : [`${what}: ${byLedger} by the ledger, ${byOrders} by the orders`];

function findingsOfOrder(order: Order, own: readonly Movement[]): Finding[] {
  const wanted = order.payment.method === 'balance' ? movementsBehind[order.payment.state] : [];
  const kinds = own.map(({ kind }) => kind).sort();
  const wrongKinds = kinds.join() === [...wanted].sort().join() ? [] : [`${order.orderId} has the movements ${kinds.join(', ') || 'none'}`];
  const wrongAmounts = own.filter((movement) => amountOf(movement) !== order.totalMinor || movement.currency !== order.currency);
  const inEscrow = balanceByEntries(escrowAccount(order.orderId), own);
  const wantedInEscrow = order.payment.state === 'authorised' && order.payment.method === 'balance' ? order.totalMinor : 0;
  return [
    ...wrongKinds.map((words) => `${words}, and its payment is ${order.payment.state}`),
    ...wrongAmounts.map(({ kind }) => `${order.orderId}: its ${kind} is not of its total`),
    ...(inEscrow === wantedInEscrow ? [] : [`${order.orderId} has ${inEscrow} in escrow, and its payment is ${order.payment.state}`]),
  ];
}

function findingsOfLedger({ userId, account, movements }: Ledger): Finding[] {
  const byEntries = balanceByEntries(userAccount(userId), movements);
  const unbalanced = movements.filter(({ entries }) => entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0) !== 0);
  return [
    ...unbalanced.map(({ kind, orderId }) => `${userId}: the entries of ${kind} ${orderId ?? ''} do not sum to zero`),
    ...(byEntries === (account?.balanceMinor ?? 0) ? [] : [`${userId} has ${account?.balanceMinor ?? 0}, by entries ${byEntries}`]),
  ];
}
