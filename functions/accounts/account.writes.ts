import type { Write } from '../shared/dynamo.ts';
import {
  type Account,
  type Entry,
  escrowAccount,
  type Movement,
  type MovementKind,
  type OrderMovement,
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

/** Whether a movement changes the buyer's balance. If so, the account's update is the first of its writes. */
export const changesBalance = (movement: OrderMovement): boolean => movement !== 'capture';

/**
 * The ledger's piece of an order's transition: one transaction with the order by version, or nothing.
 *
 * For `authorise`, `void` and `refund` the first write is the update of the buyer's account, the second puts the movement; a refused
 * first write of `authorise` means no account, another currency or too little money, and gives the account that stood in the way.
 * `capture` is the movement alone, escrow to seller. No transaction updates a seller's balance: the contra side is an entry,
 * so that a sale has no row that every one of its orders writes.
 */
export function movementWrites(movement: OrderMovement, order: PaidOrder, nowMs: number, tableName: string): Write[] {
  const user = userAccount(order.buyerId);
  const escrow = escrowAccount(order.orderId);
  const seller = sellerAccount(order.saleId);
  const put = (entries: readonly Entry[]) => putOrderMovement(movement, order, entries, nowMs, tableName);
  switch (movement) {
    case 'authorise':
      return [takeFromAccount(order, tableName), put(transfer(user, escrow, order.totalMinor))];
    case 'capture':
      return [put(transfer(escrow, seller, order.totalMinor))];
    case 'void':
      return [giveToAccount(order, tableName), put(transfer(escrow, user, order.totalMinor))];
    case 'refund':
      return [giveToAccount(order, tableName), put(transfer(seller, user, order.totalMinor))];
  }
}

function putOrderMovement(kind: OrderMovement, order: PaidOrder, entries: readonly Entry[], nowMs: number, tableName: string): Write {
  const movement: Movement = { kind, orderId: order.orderId, saleId: order.saleId, currency: order.currency, atMs: nowMs, entries };
  return putMovement(order.buyerId, movementEntryOf(kind, order.orderId), movement, tableName);
}

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
