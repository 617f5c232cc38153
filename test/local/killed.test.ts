import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { inParallel } from '../../functions/shared/parallel.ts';
import { pause, until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { type Answer, Connection, NoAnswer } from '../../lib/client/connection.ts';
import { type AuditBody, isAtRest, isSold, type OrderBody } from '../../lib/client/contract.ts';
import { listOrders } from '../../lib/client/crowd.ts';
import { mayRetry } from '../../lib/client/retry.ts';
import { type Callers, localCallers } from '../../lib/client/tokens.ts';
import { type Life, startLife, synthesisedApp } from './lives.ts';
import { childrenOf, isAlive, twoFreePorts } from './processes.ts';

const livesMax = 10;
const units = 600;
const shoppersMax = 16;
const balanceMinor = 1_000_000;
const priceMinor = 700;
/** A life ends once so many orders were acknowledged in it, however fast the machine is, or after so long, with the first of them. */
const ordersOfLife = 20;
const lifeMsMax = 2_000;

const app = synthesisedApp();
const saleId = `sale-${randomUUID()}`;
const sku = `${saleId}-tee`;

/** One order that a shopper wants, under its key until it has an answer, whatever becomes of the runtime meanwhile. */
interface Wish {
  readonly key: string;
  readonly quantity: number;
  readonly method: 'balance' | 'external';
}

interface Shopper {
  readonly userId: string;
  readonly client: Client;
  wish: Wish;
  readonly got: { readonly wish: Wish; readonly order: OrderBody }[];
}

const unitsOf = (order: OrderBody): string[] => order.items.flatMap((line) => line.units);
/** One to three units; every fifth order is never paid: its hold ends by itself, perhaps in another life. */
const anyWish = (number: number): Wish => ({
  key: randomUUID(),
  quantity: 1 + (number % 3),
  method: number % 5 === 4 ? 'external' : 'balance',
});
const oneAndPaid = (): Wish => ({ key: randomUUID(), quantity: 1, method: 'balance' });
const unlessUnanswered = (error: unknown): undefined => {
  if (!(error instanceof NoAnswer)) throw error;
};
const placed = ({ client, wish }: Shopper): Promise<Answer<OrderBody> | undefined> =>
  client
    .placeOrder(saleId, { items: [{ sku, quantity: wish.quantity }], payment: { method: wish.method } }, wish.key)
    .catch(unlessUnanswered);

/** The next life. What a killed one had started takes its time to be gone on a busy machine, and the directory is in use until then. */
const begun = (options: Parameters<typeof startLife>[0]): Promise<Life> =>
  until(
    'the next life begins',
    () =>
      startLife(options).catch((error: unknown) => {
        if (!(error instanceof Error && /DATA_DIR .* in use/.test(error.message))) throw error;
        return undefined;
      }),
    { withinMs: 120_000 },
  );

/** Buys, first what was wished for last, until nothing is left or nobody answers. */
async function shop(shopper: Shopper, next: (number: number) => Wish, onOrder = () => {}): Promise<void> {
  for (;;) {
    const answer = await placed(shopper);
    if (!answer) return;
    if (!answer.ok && answer.body?.code === 'SOLD_OUT') return;
    if (answer.ok) {
      shopper.got.push({ wish: shopper.wish, order: answer.body });
      shopper.wish = next(shopper.got.length);
      onOrder();
    } else if (mayRetry(answer)) await pause(50);
    else throw new Error(`${answer.status} ${answer.text}`);
  }
}

/** All shoppers buy in this life, until it is killed in the middle of it. */
async function shopUntilKilled(life: Life, shoppers: readonly Shopper[]): Promise<void> {
  let orders = 0;
  const enough = Promise.withResolvers<void>();
  let isLong = false;
  const endIfDue = () => {
    if (orders >= ordersOfLife || (isLong && orders > 0)) enough.resolve();
  };
  const timer = setTimeout(() => {
    isLong = true;
    endIfDue();
  }, lifeMsMax);
  const onOrder = () => {
    orders++;
    endIfDue();
  };
  const shopping = Promise.all(shoppers.map((shopper) => shop(shopper, anyWish, onOrder)));
  await Promise.race([enough.promise, shopping]);
  clearTimeout(timer);
  await life.kill();
  await shopping;
  expect(orders, 'orders acknowledged in this life').toBeGreaterThan(0);
}

async function openSale(operator: Client, buyers: readonly { userId: string }[]): Promise<void> {
  const answers: Answer<unknown>[] = [
    await operator.createProduct({ sku, name: 'Tee', priceMinor, currency: 'EUR' }),
    await operator.createSale(
      {
        ...{ saleId, name: 'A sale of many lives', holdSeconds: 5, items: [{ sku, units }] },
        opensAt: new Date(Date.now() - 60_000).toISOString(),
        closesAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
      saleId,
    ),
    ...(await inParallel(buyers, 8, ({ userId }) => operator.createUser({ userId, balanceMinor, currency: 'EUR' }))),
  ];
  for (const answer of answers) expect(answer.status, answer.text).toBe(201);
}

const isClean = ({ items, money, redis }: AuditBody): boolean =>
  redis.agrees && money.balanced && items.every(({ conserved, held }) => conserved && held === 0);

/** Every order once all have ended, and the audit once it is clean, with the sweeper running all the while. */
async function settled(operator: Client): Promise<{ orders: OrderBody[]; audit: AuditBody }> {
  let orders: OrderBody[] = [];
  let audit: AuditBody | undefined;
  const isQuiet = async () => {
    await operator.localRun('sweeper').catch(unlessUnanswered);
    // What was on its way to the list when a life ended is gone, and the list is put right.
    await operator.localRun('reconciler').catch(unlessUnanswered);
    orders = await listOrders(operator, saleId);
    if (!orders.every(isAtRest)) return undefined;
    const answer = await operator.audit(saleId).catch(unlessUnanswered);
    if (answer?.ok) audit = answer.body;
    return audit && isClean(audit) ? audit : undefined;
  };
  const clean = await until('everything is settled', isQuiet, { withinMs: 240_000, everyMs: 1_000 }).catch((error: unknown) => {
    const open = orders.filter((order) => !isAtRest(order)).map(({ orderId, status }) => `${orderId} ${status}`);
    throw new Error(`not settled: ${open.join()} ${JSON.stringify(audit)}`, { cause: error });
  });
  return { orders, audit: clean };
}

it('keeps every acknowledged order, and sells no unit twice, through ten kills in the middle of a sale', async () => {
  const temporary = await app.directory('tmp');
  const options = { cdkOut: app.cdkOut(), dataDirectory: app.path('data'), temporary, port: await twoFreePorts() };
  const started: number[] = [];
  let life: Life | undefined;
  onTestFinished(() => life?.kill());
  const live = async () => {
    life = await begun(options);
    started.push(life.pid, ...childrenOf(life.pid));
    return life;
  };

  const first = await live();
  const connection = new Connection(first.url, { connections: shoppersMax + 4, timeoutMs: 120_000 });
  onTestFinished(() => connection.close());
  const anyone = new Client(connection);
  const callers: Callers = localCallers(anyone, 'lives');
  // The tokens of the first life are those of all.
  const operator = anyone.as(await callers.operator());
  const shoppers: Shopper[] = (await callers.buyers(shoppersMax)).map(({ userId, token }, index) => ({
    ...{ userId, client: anyone.as(token), wish: anyWish(index), got: [] },
  }));
  await openSale(operator, shoppers);

  await shopUntilKilled(first, shoppers);
  for (let number = 2; number <= livesMax; number++) await shopUntilKilled(await live(), shoppers);

  await live();
  // Whatever was asked for last gets an answer now, and the sale is bought out.
  await Promise.all(shoppers.map((shopper) => shop(shopper, anyWish)));
  await settled(operator);
  // What unpaid holds have given back can be bought too: had a kill leaked a unit, fewer than all would be sold in the end.
  for (const shopper of shoppers) shopper.wish = oneAndPaid();
  await Promise.all(shoppers.map((shopper) => shop(shopper, oneAndPaid)));
  const { orders, audit } = await settled(operator);

  const acknowledged = shoppers.flatMap(({ client, got }) => got.map(({ wish, order }) => ({ client, wish, order })));
  const now = new Map(orders.map((order) => [order.orderId, order]));
  expect(
    acknowledged.filter(({ order }) => !now.has(order.orderId)),
    'orders that are lost',
  ).toEqual([]);
  expect(acknowledged.filter(({ order }) => unitsOf(now.get(order.orderId) ?? order).join() !== unitsOf(order).join())).toEqual([]);
  expect(new Set(acknowledged.map(({ order }) => order.orderId)).size, 'one order for each key').toBe(acknowledged.length);

  const sold = orders.filter(isSold).flatMap(unitsOf);
  expect(new Set(sold).size, 'no unit is sold twice').toBe(sold.length);
  expect(sold.length, 'no unit is leaked').toBe(units);
  expect(audit.items).toMatchObject([{ sku, total: units, available: 0, held: 0, sold: units, retired: 0, conserved: true }]);
  expect(audit.money).toMatchObject({ capturedMinor: units * priceMinor, balanced: true });

  const replays = await inParallel(acknowledged, shoppersMax, ({ client, wish, order }) =>
    placed({ userId: '', client, wish, got: [] }).then((answer) => ({ answer, order })),
  );
  for (const { answer, order } of replays) {
    expect(answer).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(answer?.ok && answer.body).toEqual(order);
  }

  await life?.kill();
  await expect.poll(() => started.filter(isAlive), { timeout: 60_000 }).toEqual([]);
  await expect.poll(() => readdirSync(temporary), { timeout: 60_000 }).toEqual([]);
}, 900_000);
