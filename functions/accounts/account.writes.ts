import type { Write } from '../shared/dynamo.ts';
import {
  type Account,
  escrowAccount,
  type Movement,
  type MovementKind,
  type OrderMovement,
  type OutsidePayment,
  outsideAccount,
  sellerAccount,
  transfer,
  userAccount,
} from './account.model.ts';

/** Sort keys of a user's partition: the account itself, and a row for each movement. */
export const accountEntry = 'account';
export const movementPrefix = 'movement#';
export const movementEntryOf = (kind: MovementKind, id: string): string => `${movementPrefix}${id}#${kind}`;

/** What a movement needs to know of an order. */
export interface PaidOrder {
  readonly orderId: string;
  readonly saleId: string;
  readonly buyerId: string;
  readonly totalMinor: number;
  readonly currency: string;
}

/** Money from outside was to come or go, and nobody said of which payment: a fault of this program. */
export class PaymentUnnamed extends Error {
  override readonly name = 'PaymentUnnamed';
}

/** Whether a movement changes the buyer's balance. If so, the account's update is the first of its writes. */
export const changesBalance = (movement: OrderMovement, outside?: OutsidePayment): boolean =>
  outside === undefined && (movement === 'authorise' || movement === 'void' || movement === 'refund');

/**
 * The ledger's piece of an order's transition: one transaction with the order by version, or nothing.
 *
 * For `authorise`, `void` and `refund` the first write is the update of the buyer's account, the second puts the movement; a refused
 * first write of `authorise` means no account, another currency or too little money, and gives the account that stood in the way.
 * `capture` is the movement alone, escrow to seller. No transaction updates a seller's balance: the contra side is an entry,
 * so that a sale has no row that every one of its orders writes.
 *
 * With a payment from `outside` the money is that payment's, of its own amount: it comes from outside and goes back there, no account is touched,
 * and each movement stands under order and payment, so that it happens once for each. Throws `PaymentUnnamed` where there must be one.
 */
export function movementWrites(
  movement: OrderMovement,
  order: PaidOrder,
  nowMs: number,
  tableName: string,
  outside?: OutsidePayment,
): Write[] {
  const user = userAccount(order.buyerId);
  const escrow = escrowAccount(order.orderId);
  const seller = sellerAccount(order.saleId);
  const { amountMinor, currency } = outside ?? { amountMinor: order.totalMinor, currency: order.currency };
  const put = (from: string, to: string) => {
    const { orderId, saleId } = order;
    const ofPayment = outside === undefined ? {} : { paymentId: outside.paymentId };
    const entries = transfer(from, to, amountMinor);
    const row: Movement = { kind: movement, orderId, saleId, ...ofPayment, currency, atMs: nowMs, entries };
    return putMovement(order.buyerId, orderMovementEntry(movement, orderId, outside), row, tableName);
  };
  switch (movement) {
    case 'authorise':
      return [takeFromAccount(order, tableName), put(user, escrow)];
    case 'capture':
      return [put(escrow, seller)];
    case 'void':
      return [giveToAccount(order, tableName), put(escrow, user)];
    case 'receive':
    case 'return':
      if (!outside) throw new PaymentUnnamed(`${movement} for ${order.orderId}`);
      return [movement === 'receive' ? put(outsideAccount, escrow) : put(escrow, outsideAccount)];
    case 'refund':
      return outside ? [put(seller, outsideAccount)] : [giveToAccount(order, tableName), put(seller, user)];
  }
}

/** Where a payment's money is booked whose order nobody knows: no user's name has a colon. */
export const strayPartition = (orderId: string): string => `stray:${orderId}`;

/** Money that came for an order which nobody knows, in and out again, under a partition of its own. */
export function strayPaymentWrites(orderId: string, payment: OutsidePayment, nowMs: number, tableName: string): Write[] {
  const { paymentId, amountMinor, currency } = payment;
  const put = (kind: 'receive' | 'return', from: string, to: string) => {
    const row: Movement = { kind, orderId, paymentId, currency, atMs: nowMs, entries: transfer(from, to, amountMinor) };
    return putMovement(strayPartition(orderId), orderMovementEntry(kind, orderId, payment), row, tableName);
  };
  const escrow = escrowAccount(orderId);
  return [put('receive', outsideAccount, escrow), put('return', escrow, outsideAccount)];
}

/** An order has each movement once; of payments from outside, each payment has. */
const orderMovementEntry = (kind: OrderMovement, orderId: string, outside: OutsidePayment | undefined): string =>
  movementEntryOf(kind, outside === undefined ? orderId : `${orderId}#${outside.paymentId}`);

/** Puts a movement into a user's partition, once: one that stands there already refuses the transaction. */
export function putMovement(userId: string, entry: string, movement: Movement, tableName: string): Write {
  return {
    Put: { TableName: tableName, Item: { userId, entry, ...movement }, ConditionExpression: 'attribute_not_exists(userId)' },
  };
}

const nextVersion = '#version = #version + :one';
const names = { '#balance': 'balanceMinor', '#version': 'version', '#currency': 'currency' };

function takeFromAccount(order: PaidOrder, tableName: string): Write {
  const exists = 'attribute_exists(userId)';
  const sameCurrency = '#currency = :currency';
  const hasEnough = '#balance >= :amount';
  return {
    Update: {
      TableName: tableName,
      Key: { userId: order.buyerId, entry: accountEntry },
      UpdateExpression: `SET #balance = #balance - :amount, ${nextVersion}`,
      ConditionExpression: [exists, sameCurrency, hasEnough].join(' AND '),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ':amount': order.totalMinor, ':currency': order.currency, ':one': 1 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

function giveToAccount(order: PaidOrder, tableName: string): Write {
  const exists = 'attribute_exists(userId)';
  const sameCurrency = '#currency = :currency';
  return {
    Update: {
      TableName: tableName,
      Key: { userId: order.buyerId, entry: accountEntry },
      UpdateExpression: `SET #balance = #balance + :amount, ${nextVersion}`,
      ConditionExpression: [exists, sameCurrency].join(' AND '),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ':amount': order.totalMinor, ':currency': order.currency, ':one': 1 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Opens an account; refused when there is one already. */
export const openAccountWrite = (account: Account, tableName: string): Write => ({
  Put: { TableName: tableName, Item: { ...account, entry: accountEntry }, ConditionExpression: 'attribute_not_exists(userId)' },
});

/** Sets the balance that was worked out from the account as it was read; refused when it has changed since. */
export const setBalanceWrite = (account: Account, balanceMinor: number, tableName: string): Write => ({
  Update: {
    TableName: tableName,
    Key: { userId: account.userId, entry: accountEntry },
    UpdateExpression: `SET #balance = :balance, ${nextVersion}`,
    ConditionExpression: '#version = :read',
    ExpressionAttributeNames: { '#balance': names['#balance'], '#version': names['#version'] },
    ExpressionAttributeValues: { ':balance': balanceMinor, ':read': account.version, ':one': 1 },
  },
});
