import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsGraceMs, hasEnded, type Order } from '../../functions/orders/order.model.ts';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { openFunded } from '../support/audits.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const orders = 200;
const units = 130;
const kinds = ['rich', 'poor', 'pays outside', 'pays nothing'] as const;
const kindOf = (n: number) => kinds[n % 8 < 5 ? 0 : (n % 8) - 4] ?? 'rich';

describe.each<Strategy>(['reserve-first', 'charge-first'])('with no event ever delivered, %s', (strategy) => {
  it('every order of 200 ends by the sweeper alone, and the books are right', { timeout: 120_000 }, async () => {
    // Where units are held first, those who get none have no order.
    const sale = await engine.openSale(`silent-${strategy}`, strategy === 'charge-first' ? units : orders, { strategy });
    const placed = await inParallel(
      Array.from({ length: orders }, (_, n) => n),
      16,
      async (n): Promise<Order> => {
        const [buyerId, kind] = [`${strategy}-${n}`, kindOf(n)];
        if (kind === 'rich') await openFunded(engine, buyerId, openingMinor);
        const order = await sagas.placed(sale.saleId, buyerId, { method: kind === 'rich' || kind === 'poor' ? 'balance' : 'external' });
        return kind === 'pays outside' ? sagas.paidOutside(order, `of ${buyerId}`) : order;
      },
    );
    expect(placed).toHaveLength(orders);

    await engine.sweep({ laterMs: eventsGraceMs + 5_000 });
    await engine.sweep({ laterMs: 302_000 });
    await engine.sweep({ laterMs: 330_000 });
    const ends = await inParallel(placed, 16, sagas.now);
    expect(ends.filter((order) => !hasEnded(order) && order.status !== 'FULFILLED')).toEqual([]);
    expect(await engine.owed(sale.saleId)).toEqual([]);
    const sold = ends.filter(({ status }) => status === 'FULFILLED').length;
    const wantedUnits = ends.filter((_, n) => kindOf(n) === 'rich' || kindOf(n) === 'pays outside').length;
    expect(sold).toBe(strategy === 'charge-first' ? units : wantedUnits);
    expect(await engine.available(sale.saleId)).toBe((strategy === 'charge-first' ? units : orders) - sold);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});
