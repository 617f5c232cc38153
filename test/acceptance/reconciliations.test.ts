import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, refused, type Shop } from '../support/acceptance.ts';

let shop: Shop;
let redis: RedisClient | undefined;
const behind = inject('behind');
beforeAll(async () => {
  shop = await openShop();
  redis = behind && connectRedis({ url: behind.redisUrl, mode: 'single' });
});
afterAll(async () => {
  redis?.disconnect();
  await shop.close();
});

describe('POST /v1/reconciliations', () => {
  it('says of a sale that sells that nothing is wrong with it, and is listed', async () => {
    const sale = await shop.sale({ units: 20, seats: ['A-1', 'A-2'], perBuyerLimit: 10 });
    const shopper = await shop.shopper();
    granted(await shopper.buy(sale, 2), 201);
    granted(await shopper.buySeats(sale, ['A-1']), 201);
    const report = granted(await shop.operator.reconcile({ saleId: sale.saleId }));
    expect(report).toMatchObject({
      trigger: 'request',
      salesCount: 1,
      sales: [{ saleId: sale.saleId, scope: 'all', outcome: 'compared', drift: {}, mended: {}, repairs: [] }],
    });
    const listed = granted(await shop.operator.reconciliations({ limit: 100 }));
    expect(listed.items.map(({ reconciliationId }) => reconciliationId)).toContain(report.reconciliationId);
    await shop.cleanAudit(sale);
  });

  it.runIf(behind)('mends what Redis has wrong, and lists what it mended', { timeout: 240_000 }, async () => {
    const sale = await shop.sale({ units: 10, perBuyerLimit: 5 });
    const { saleId, sku } = sale;
    const shopper = await shop.shopper();
    const order = granted(await shopper.buy(sale, 2), 201);
    await shop.atRest(order.orderId);
    const { sale: key, free } = stockKeys(saleId);
    // Two units vanish, an order's units are for sale, and somebody has used an allowance without buying.
    await redis?.hset(key, `i:${sku}`, 'c|10|5|2', 'b:nobody', '7');
    await redis?.zadd(free, 0, `${sku}|0000001-0000002`);
    expect((await shop.view(sale)).items[0]?.available).toBe(8);

    const mended = async () => {
      const items = granted(await shop.operator.reconciliations({ limit: 100 })).items.flatMap(({ sales }) => sales);
      return new Set(items.filter((each) => each.saleId === saleId).flatMap(({ repairs }) => repairs.map(({ kind }) => kind)));
    };
    // What changed a moment ago is left alone. The schedule may come at this moment and mend some of it.
    await until(
      'all of it is mended',
      async () => {
        const [found] = granted(await shop.operator.reconcile({ saleId })).sales;
        return (found?.outcome === 'compared' && (await mended()).has('order-not-followed')) || undefined;
      },
      { withinMs: 120_000, everyMs: 500 },
    );
    await shop.cleanAudit(sale);
    expect(await mended()).toEqual(new Set(['order-not-followed', 'unit-leaked', 'allowance-too-high']));
  });

  it('knows no sale that is not there, and no other question', async () => {
    refused(await shop.operator.reconcile({ saleId: `no-${randomUUID()}` }), 'NOT_FOUND');
    const unknown = {
      method: 'POST' as const,
      path: '/v1/reconciliations',
      body: '{"all":true}',
      headers: { 'content-type': 'application/json' },
    };
    refused(await shop.operator.raw(unknown), 'INVALID_REQUEST');
    refused(await shop.operator.reconciliations({ cursor: 'made-up' }), 'INVALID_REQUEST');
  });
});
