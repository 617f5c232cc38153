import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import type { OrderBody } from '../../lib/client/contract.ts';
import { granted, openShop, type Shopper, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

/** Lists lag behind by 2 s at most; a wait's bound is wider, because the machine has other work. */
describe('a list of orders', () => {
  it('comes to show every order exactly as it is, to its buyer and to operators', async () => {
    const sale = await shop.sale({ units: 20 });
    const shopper = await shop.shopper();
    const poor = await shop.shopper('no account');
    const placed = [
      granted(await shopper.buy(sale, 2), 201),
      granted(await shopper.buy(sale, 1, { method: 'external' }), 201),
      granted(await poor.buy(sale), 201),
    ];
    granted(await shopper.client.cancelOrder(placed[1]?.orderId ?? ''));
    for (const { orderId, buyerId } of placed) {
      await shop.atRest(orderId);
      for (const client of [shop.operator, buyerId === poor.userId ? poor.client : shopper.client]) {
        const { view, now } = await until('the list has caught up', async () => {
          const view = granted(await client.orders({ saleId: sale.saleId })).items.find((each) => each.orderId === orderId);
          const now = granted(await client.order(orderId));
          return view?.version === now.version ? { view, now } : undefined;
        });
        expect(view).toEqual(now);
      }
    }
  });

  it('without a filter is newest first for an operator, over all pages', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const placed: string[] = [];
    for (let count = 0; count < 3; count++) placed.push(granted(await shopper.buy(sale, 1, { method: 'external' }), 201).orderId);
    const seen = await until('the list shows all three', async () => {
      const pages: OrderBody[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 20; page++) {
        const { items, nextCursor } = granted(await shop.operator.orders({ limit: 100, ...(cursor && { cursor }) }));
        pages.push(...items);
        const own = pages.filter(({ saleId }) => saleId === sale.saleId);
        if (own.length === placed.length) return { own, pages };
        if (!nextCursor) return undefined;
        cursor = nextCursor;
      }
      return undefined;
    });
    expect(seen.own.map(({ orderId }) => orderId)).toEqual(placed.toReversed());
    const times = seen.pages.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted().toReversed());
  });
});

interface Case {
  readonly shown: string;
  /** The sale that it takes, if not any. */
  readonly wishes?: Parameters<typeof shop.sale>[0];
  readonly balanceMinor?: number | 'no account';
  /** What is done until the order shows it; the order is looked at again and again afterwards. */
  readonly reach: (shopper: Shopper, sale: TestSale) => Promise<OrderBody>;
}

const order = async (shopper: Shopper, sale: TestSale, method: 'balance' | 'external' = 'balance') =>
  granted(await shopper.buy(sale, 1, { method }), 201);
const fulfilled = async (shopper: Shopper, sale: TestSale) => shop.atRest((await order(shopper, sale)).orderId);
const refunded = async (shopper: Shopper, sale: TestSale) =>
  granted(await shop.operator.refund((await fulfilled(shopper, sale)).orderId, { reason: 'a test' }, randomUUID()), 202);

/** Every word that a buyer can be shown, and a way to it. */
const cases: readonly Case[] = [
  { shown: 'AWAITING_PAYMENT', reach: (shopper, sale) => order(shopper, sale, 'external') },
  { shown: 'PROCESSING', reach: (shopper, sale) => order(shopper, sale) },
  { shown: 'COMPLETED', reach: fulfilled },
  { shown: 'REFUND_IN_PROGRESS', reach: refunded },
  { shown: 'REFUNDED', reach: async (shopper, sale) => shop.atRest((await refunded(shopper, sale)).orderId) },
  { shown: 'FAILED_PAYMENT', balanceMinor: 1, reach: async (shopper, sale) => shop.atRest((await order(shopper, sale)).orderId) },
  {
    shown: 'CANCELLED',
    reach: async (shopper, sale) => granted(await shopper.client.cancelOrder((await order(shopper, sale, 'external')).orderId)),
  },
  {
    shown: 'EXPIRED',
    wishes: { holdSeconds: 5 },
    reach: async (shopper, sale) => {
      const { orderId } = await order(shopper, sale, 'external');
      return until(
        'the hold has expired',
        async () => {
          if (shop.isLocal) granted(await shop.operator.localRun('sweeper'));
          const now = granted(await shopper.client.order(orderId));
          return now.status === 'EXPIRED' ? now : undefined;
        },
        { withinMs: 90_000, everyMs: 500 },
      );
    },
  },
];

describe('what a buyer is shown', () => {
  it.each(cases)('can be $shown', { timeout: 100_000 }, async ({ shown, wishes, balanceMinor, reach }) => {
    const sale = await shop.sale(wishes);
    const shopper = await shop.shopper(balanceMinor);
    expect((await reach(shopper, sale)).displayStatus).toBe(shown);
  });
});
