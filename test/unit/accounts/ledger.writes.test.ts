import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { userAnswer } from '../../../functions/accounts/account.answer.ts';
import { type Account, assertBalanced, balanceByEntries, transfer } from '../../../functions/accounts/account.model.ts';
import { accountRepository } from '../../../functions/accounts/account.repository.ts';
import {
  changesBalance,
  movementWrites,
  openAccountWrite,
  setBalanceWrite,
  strayPaymentWrites,
} from '../../../functions/accounts/account.writes.ts';
import { creditAccount } from '../../../functions/accounts/credit-account.ts';
import { openAccount } from '../../../functions/accounts/open-account.ts';
import type { TransactOutcome, Write } from '../../../functions/shared/dynamo.ts';
import { transact } from '../../../functions/shared/dynamo.ts';
import { idempotencyRepository } from '../../../functions/shared/idempotency.ts';
import { startTables } from '../../support/database.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => expect(reads.weak()).toStrictEqual([]));

let count = 0;
const anAccount = (changes: Partial<Account> = {}): Account => ({
  userId: `user-${++count}`,
  currency: 'EUR',
  balanceMinor: 1_000,
  version: 1,
  createdAtMs: 5,
  ...changes,
});
const send = (writes: Write[]): Promise<TransactOutcome> => transact(tables.database, writes);
const accounts = () => accountRepository(tables.database, 'accounts');
async function opened(changes: Partial<Account> = {}): Promise<Account> {
  const account = anAccount(changes);
  expect(await send([openAccountWrite(account, 'accounts')])).toStrictEqual({ outcome: 'committed' });
  return account;
}
const orderOf = ({ userId }: Pick<Account, 'userId'>, changes: object = {}) => ({
  orderId: `ord-${userId}`,
  saleId: 'sale',
  buyerId: userId,
  totalMinor: 400,
  currency: 'EUR',
  ...changes,
});
const outside = { paymentId: 'pay_1', amountMinor: 700, currency: 'USD' };
const sides = (from: string, to: string, amountMinor: number) => [
  { account: from, amountMinor: -amountMinor },
  { account: to, amountMinor },
];

describe('a movement of an order', () => {
  const order = orderOf({ userId: 'ada' });
  const escrow = `escrow:${order.orderId}`;

  it.each([
    ['authorise', 'user:ada', escrow],
    ['capture', escrow, 'seller:sale'],
    ['void', escrow, 'user:ada'],
    ['refund', 'seller:sale', 'user:ada'],
  ] as const)('%s is its total, once, under the order and the buyer', (kind, from, to) => {
    expect(movementWrites(kind, order, 9, 'accounts').at(-1)).toStrictEqual({
      Put: {
        TableName: 'accounts',
        Item: {
          userId: 'ada',
          entry: `movement#${order.orderId}#${kind}`,
          kind,
          orderId: order.orderId,
          saleId: 'sale',
          currency: 'EUR',
          atMs: 9,
          entries: sides(from, to, 400),
        },
        ConditionExpression: 'attribute_not_exists(userId)',
      },
    });
  });

  it.each([
    ['receive', 'outside', escrow],
    ['capture', escrow, 'seller:sale'],
    ['return', escrow, 'outside'],
    ['refund', 'seller:sale', 'outside'],
  ] as const)('%s of money from outside is the payment’s, and touches no account', (kind, from, to) => {
    const writes = movementWrites(kind, order, 9, 'accounts', outside);
    expect(writes).toHaveLength(1);
    expect(writes[0]?.Put?.Item).toStrictEqual({
      userId: 'ada',
      entry: `movement#${order.orderId}#pay_1#${kind}`,
      kind,
      orderId: order.orderId,
      saleId: 'sale',
      paymentId: 'pay_1',
      currency: 'USD',
      atMs: 9,
      entries: sides(from, to, 700),
    });
  });

  it('of a payment whose order nobody knows stands where no user is', () => {
    const [first, second] = strayPaymentWrites('ord_x', outside, 9, 'accounts').map(({ Put }) => Put?.Item);
    const row = { userId: 'stray:ord_x', orderId: 'ord_x', paymentId: 'pay_1', currency: 'USD', atMs: 9 };
    expect(first).toStrictEqual({
      ...row,
      entry: 'movement#ord_x#pay_1#receive',
      kind: 'receive',
      entries: sides('outside', 'escrow:ord_x', 700),
    });
    expect(second).toStrictEqual({
      ...row,
      entry: 'movement#ord_x#pay_1#return',
      kind: 'return',
      entries: sides('escrow:ord_x', 'outside', 700),
    });
  });

  it('changes a balance only when it is the buyer’s own money', () => {
    const kinds = ['authorise', 'receive', 'capture', 'void', 'return', 'refund'] as const;
    expect(kinds.filter((kind) => changesBalance(kind))).toStrictEqual(['authorise', 'void', 'refund']);
    expect(kinds.filter((kind) => changesBalance(kind, outside))).toStrictEqual([]);
  });
});

describe('an account', () => {
  it('is opened once, and read as it was opened', async () => {
    const account = await opened({ name: 'Ada' });
    expect(await accounts().get(account.userId)).toStrictEqual(account);
    expect((await send([openAccountWrite(account, 'accounts')])).outcome).toBe('refused');
    expect(await accounts().get('nobody')).toBeUndefined();
  });

  it('gives what is authorised, and gets back what is not taken', async () => {
    const account = await opened();
    const order = orderOf(account);
    const steps = [
      ['authorise', 600],
      ['void', 1_000],
      ['refund', 1_400],
    ] as const;
    for (const [index, [kind, balanceMinor]] of steps.entries()) {
      expect(await send(movementWrites(kind, order, 9, 'accounts'))).toStrictEqual({ outcome: 'committed' });
      expect(await accounts().get(account.userId)).toStrictEqual({ ...account, balanceMinor, version: index + 2 });
    }
    const kinds = (await accounts().movements(account.userId)).map(({ kind }) => kind);
    expect(kinds.toSorted()).toStrictEqual(['authorise', 'refund', 'void']);
    expect(await accounts().movements('nobody')).toStrictEqual([]);
  });

  it('gives its last cent, and none more', async () => {
    const account = await opened({ balanceMinor: 400 });
    expect(await send(movementWrites('authorise', orderOf(account), 9, 'accounts'))).toStrictEqual({ outcome: 'committed' });
    const refused = await send(movementWrites('authorise', orderOf(account, { orderId: 'other', totalMinor: 1 }), 9, 'accounts'));
    expect(refused).toMatchObject({ outcome: 'refused', refusals: [{ index: 0, item: { userId: account.userId, balanceMinor: 0 } }] });
  });

  it.each(['authorise', 'void', 'refund'] as const)('moves nothing by %s in another currency, or where there is none', async (kind) => {
    const account = await opened();
    const other = await send(movementWrites(kind, orderOf(account, { currency: 'USD' }), 9, 'accounts'));
    expect(other).toMatchObject({ outcome: 'refused', refusals: [{ index: 0, item: { userId: account.userId } }] });
    const none = await send(movementWrites(kind, orderOf({ userId: `nobody-${kind}` }), 9, 'accounts'));
    expect(none).toMatchObject({ outcome: 'refused', refusals: [{ index: 0 }] });
    expect(await accounts().get(account.userId)).toStrictEqual(account);
    expect(await accounts().get(`nobody-${kind}`)).toBeUndefined();
  });

  it('has its balance set by whoever read it last', async () => {
    const account = await opened();
    expect(await send([setBalanceWrite(account, 5, 'accounts')])).toStrictEqual({ outcome: 'committed' });
    expect(await accounts().get(account.userId)).toStrictEqual({ ...account, balanceMinor: 5, version: 2 });
    expect((await send([setBalanceWrite(account, 6, 'accounts')])).outcome).toBe('refused');
  });

  it('is answered with its name where it has one', () => {
    const account = anAccount({ createdAtMs: Date.UTC(2026, 0, 2) });
    const { userId } = account;
    const shown = { userId, balanceMinor: 1_000, currency: 'EUR', createdAt: '2026-01-02T00:00:00.000Z' };
    expect(userAnswer(account)).toStrictEqual(shown);
    expect(userAnswer({ ...account, name: 'Ada' })).toStrictEqual({ ...shown, name: 'Ada' });
  });
});

describe('opening an account', () => {
  it('brings what it opens with from the bank, in the same transaction', async () => {
    const ports = { transact: send, accountsTable: 'accounts', clock: { nowMs: () => 77 } };
    const userId = `user-${++count}`;
    const body = { userId, name: 'Ada', balanceMinor: 700, currency: 'EUR' };
    const account = { ...body, version: 1, createdAtMs: 77 };
    expect(await openAccount(body, ports)).toStrictEqual({ outcome: 'opened', account });
    expect(await accounts().get(userId)).toStrictEqual(account);
    expect(await accounts().movements(userId)).toStrictEqual([
      {
        userId,
        entry: 'movement#first#opening',
        kind: 'opening',
        currency: 'EUR',
        atMs: 77,
        entries: sides('bank', `user:${userId}`, 700),
      },
    ]);
    expect(await openAccount({ ...body, balanceMinor: 900 }, ports)).toStrictEqual({ outcome: 'already-exists' });
    const { name: _, ...nameless } = { ...body, userId: `user-${++count}` };
    const second = await openAccount(nameless, ports);
    expect(second).toStrictEqual({ outcome: 'opened', account: { ...nameless, version: 1, createdAtMs: 77 } });
  });
});

describe('a credit', () => {
  const ports = (changes: object = {}) => ({
    accounts: accounts(),
    idempotency: idempotencyRepository(tables.database, 'idempotency'),
    transact: send,
    accountsTable: 'accounts',
    clock: { nowMs: () => 88 },
    newId: () => 'id',
    ...changes,
  });
  const request = (key: string, payloadHash = 'payload') => ({ scope: `scope of ${key}`, payloadHash });

  it('adds to the balance once per key, and answers what it made', async () => {
    const account = await opened();
    const answer = { status: 200, body: JSON.stringify(userAnswer({ ...account, balanceMinor: 1_250 })) };
    expect(await creditAccount(account.userId, 250, request('a'), ports())).toStrictEqual({ outcome: 'credited', answer });
    expect(await creditAccount(account.userId, 250, request('a'), ports())).toStrictEqual({ outcome: 'replayed', answer });
    expect(await creditAccount(account.userId, 250, request('a', 'other'), ports())).toStrictEqual({ outcome: 'key-reused' });
    expect(await accounts().get(account.userId)).toStrictEqual({ ...account, balanceMinor: 1_250, version: 2 });
    expect(await accounts().movements(account.userId)).toStrictEqual([
      {
        userId: account.userId,
        entry: 'movement#id#credit',
        kind: 'credit',
        currency: 'EUR',
        atMs: 88,
        entries: sides('bank', `user:${account.userId}`, 250),
      },
    ]);
  });

  it('is made of the balance as it is, also when an order changed it meanwhile', async () => {
    const account = await opened();
    let looks = 0;
    const racing = {
      get: async (userId: string) => {
        const found = await accounts().get(userId);
        if (looks++ === 0) await send([setBalanceWrite(account, 900, 'accounts')]);
        return found;
      },
    };
    expect((await creditAccount(account.userId, 100, request('b'), ports({ accounts: racing }))).outcome).toBe('credited');
    expect(await accounts().get(account.userId)).toMatchObject({ balanceMinor: 1_000, version: 3 });
    expect(looks).toBe(2);
  });

  it('brings no account above what it may have, and none about', async () => {
    const account = await opened({ balanceMinor: 999_999_999_999_999 });
    expect((await creditAccount(account.userId, 2, request('c'), ports())).outcome).toBe('too-much');
    expect(await creditAccount(account.userId, 1, request('d'), ports())).toMatchObject({ outcome: 'credited' });
    expect(await creditAccount('nobody', 1, request('e'), ports())).toStrictEqual({ outcome: 'not-found' });
    const stored = await tables.database.send(
      new GetCommand({ TableName: 'accounts', Key: { userId: 'nobody', entry: 'account' }, ConsistentRead: true }),
    );
    expect(stored.Item).toBeUndefined();
  });
});

describe('entries', () => {
  it('say what went wrong when they do not sum to zero', () => {
    expect(() =>
      assertBalanced([
        { account: 'a', amountMinor: 1 },
        { account: 'b', amountMinor: -2 },
      ]),
    ).toThrow('a 1, b -2');
    expect(() => assertBalanced([])).not.toThrow();
    expect(transfer('a', 'b', 0).map(({ amountMinor }) => Object.is(amountMinor, 0))).toStrictEqual([true, true]);
    expect(transfer('a', 'b', 2 ** 53 - 1)).toStrictEqual(sides('a', 'b', 2 ** 53 - 1));
  });

  it('make up a balance by the account that they name', () => {
    const movements = [{ entries: transfer('a', 'b', 5) }, { entries: transfer('b', 'c', 2) }];
    expect(['a', 'b', 'c', 'd'].map((account) => balanceByEntries(account, movements))).toStrictEqual([-5, 3, 2, 0]);
  });
});
