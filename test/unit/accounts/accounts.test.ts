import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceByEntries, userAccount } from '../../../functions/accounts/account.model.ts';
import { accountRepository } from '../../../functions/accounts/account.repository.ts';
import { movementWrites } from '../../../functions/accounts/account.writes.ts';
import { transact } from '../../../functions/shared/dynamo.ts';
import { type Api, buyer, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const open = (body: unknown) => api.call('POST', '/v1/users', { as: operator, body });
const credit = (userId: string, amountMinor: unknown, key: string = randomUUID()) =>
  api.call('POST', `/v1/users/${userId}/credits`, { as: operator, key, body: { amountMinor } });

async function newUser(balanceMinor = 1_000): Promise<string> {
  const userId = randomUUID();
  expect(await open({ userId, balanceMinor, currency: 'EUR' })).toMatchObject({ status: 201 });
  return userId;
}

/** The balance, after checking that the account has what its entries say. */
async function balanceOf(userId: string): Promise<number> {
  const accounts = accountRepository(api.database, 'accounts');
  const account = await accounts.get(userId);
  expect(balanceByEntries(userAccount(userId), await accounts.movements(userId))).toBe(account?.balanceMinor);
  return account?.balanceMinor ?? Number.NaN;
}

describe('an account', () => {
  it('opens with what it is given, as a movement from the bank', async () => {
    const userId = randomUUID();
    const opened = await open({ userId, name: 'Ada', balanceMinor: 700, currency: 'EUR' });
    expect(opened).toMatchObject({ status: 201, body: { userId, name: 'Ada', balanceMinor: 700, currency: 'EUR' } });
    expect(await balanceOf(userId)).toBe(700);
    expect(await api.call('GET', `/v1/users/${userId}`, { as: operator })).toMatchObject({ status: 200, body: opened.body });
  });

  it('opens empty when no balance is named', async () => {
    const userId = randomUUID();
    expect((await open({ userId, currency: 'EUR' })).body.balanceMinor).toBe(0);
    expect(await balanceOf(userId)).toBe(0);
  });

  it('opens once', async () => {
    const userId = randomUUID();
    const racers = await Promise.all([100, 200, 300].map((balanceMinor) => open({ userId, balanceMinor, currency: 'EUR' })));
    const [won] = racers.filter(({ status }) => status === 201);
    expect(racers.filter(({ body }) => body.code === 'ALREADY_EXISTS')).toHaveLength(2);
    expect(await balanceOf(userId)).toBe(won?.body.balanceMinor);
  });

  it('is shown to its owner', async () => {
    const userId = await newUser();
    const answer = await api.call('GET', '/v1/me', { as: buyer(userId) });
    expect(answer).toMatchObject({ status: 200, body: { userId, balanceMinor: 1_000, currency: 'EUR' } });
    expect(await api.call('GET', '/v1/me', { as: buyer('nobody') })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it.each([
    { balanceMinor: -1 },
    { balanceMinor: 0.5 },
    { balanceMinor: 1e16 },
    { currency: 'E' },
    { currency: 'ZZZ' },
    { userId: 'a b' },
    { admin: true },
    { name: '\ud800' },
    { name: 'a\u0000b' },
  ])('is refused with %o', async (changes) => {
    const answer = await open({ userId: randomUUID(), currency: 'EUR', ...changes });
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });
});

describe('a credit', () => {
  it('adds to the balance, and answers with what it made', async () => {
    const userId = await newUser(1_000);
    expect(await credit(userId, 50)).toMatchObject({ status: 200, body: { userId, balanceMinor: 1_050 } });
    expect(await balanceOf(userId)).toBe(1_050);
  });

  it('counts once however often its key is sent, and then shows its own answer', async () => {
    const userId = await newUser(0);
    const key = randomUUID();
    const first = await credit(userId, 10, key);
    await credit(userId, 5);
    const again = await credit(userId, 10, key);
    expect(again).toMatchObject({ status: 200, text: first.text, headers: { 'idempotency-replayed': 'true' } });
    expect(await balanceOf(userId)).toBe(15);
  });

  it('counts once when racers send one key', async () => {
    const userId = await newUser(0);
    const key = randomUUID();
    const racers = await Promise.all(Array.from({ length: 10 }, () => credit(userId, 10, key)));
    expect(new Set(racers.map(({ text }) => text)).size).toBe(1);
    expect(await balanceOf(userId)).toBe(10);
  });

  it('is refused for another amount under its key, and is another one under another account', async () => {
    const [ada, ben] = [await newUser(0), await newUser(0)];
    const key = randomUUID();
    await credit(ada, 10, key);
    expect(await credit(ada, 11, key)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await credit(ben, 11, key)).toMatchObject({ status: 200, body: { balanceMinor: 11 } });
    expect(await balanceOf(ada)).toBe(10);
  });

  it('loses nothing beside others at the same moment', async () => {
    const userId = await newUser(0);
    const answers = await Promise.all([1, 2, 4, 8].map((amount) => credit(userId, amount)));
    const counted = answers.reduce((sum, { status }, index) => sum + (status === 200 ? 2 ** index : 0), 0);
    expect(await balanceOf(userId)).toBe(counted);
    expect(counted).toBeGreaterThan(0);
    for (const { status, body } of answers) if (status !== 200) expect(body).toMatchObject({ code: 'TRY_AGAIN', retryable: true });
  });

  it.each([0, -5, 1.5, 1e13, '5', null])('of %o is refused', async (amount) => {
    expect(await credit(await newUser(), amount)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('for nobody is not found', async () => {
    expect(await credit('nobody', 5)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('the movements of an order', () => {
  const orderOf = (buyerId: string, totalMinor: number, currency = 'EUR') => ({
    orderId: `ord_${randomUUID().replaceAll('-', '').slice(0, 22)}`,
    saleId: 'a-sale',
    buyerId,
    totalMinor,
    currency,
  });
  const move = (...[movement, order]: [Parameters<typeof movementWrites>[0], ReturnType<typeof orderOf>]) =>
    transact(api.database, movementWrites(movement, order, Date.now(), 'accounts'));

  it('take the money and give it back, with entries for each step', async () => {
    const userId = await newUser(1_000);
    const [voided, refunded] = [orderOf(userId, 300), orderOf(userId, 400)];
    expect(await move('authorise', voided)).toEqual({ outcome: 'committed' });
    expect(await move('authorise', refunded)).toEqual({ outcome: 'committed' });
    expect(await balanceOf(userId)).toBe(300);
    expect(await move('void', voided)).toEqual({ outcome: 'committed' });
    expect(await move('capture', refunded)).toEqual({ outcome: 'committed' });
    expect(await balanceOf(userId)).toBe(600);
    expect(await move('refund', refunded)).toEqual({ outcome: 'committed' });
    expect(await balanceOf(userId)).toBe(1_000);
  });

  it('happen once each', async () => {
    const userId = await newUser(1_000);
    const order = orderOf(userId, 100);
    for (const kind of ['authorise', 'capture', 'refund'] as const) {
      await move(kind, order);
      expect(await move(kind, order)).toMatchObject({ outcome: 'refused' });
    }
    expect(await balanceOf(userId)).toBe(1_000);
  });

  it('are refused at the account when it has too little, holds another currency, or is not there', async () => {
    const userId = await newUser(99);
    for (const order of [orderOf(userId, 100), orderOf(userId, 1, 'USD'), orderOf('nobody', 1)]) {
      expect(await move('authorise', order)).toMatchObject({ outcome: 'refused', refusals: [{ index: 0 }] });
    }
    expect(await move('authorise', orderOf(userId, 100))).toMatchObject({ refusals: [{ item: { balanceMinor: 99 } }] });
    expect(await balanceOf(userId)).toBe(99);
  });
});
