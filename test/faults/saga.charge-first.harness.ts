import { expect } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { openFunded } from '../support/audits.ts';
import type { Engine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';

export const chargeFirst = { strategy: 'charge-first' } as const;
export const unitsOf = (order: Order) => order.items.flatMap(({ units }) => units);

/** Sales that charge first, and their orders before they have units, on the engine that has started by the time of a test. */
export function chargeFirstOn(engine: () => Engine) {
  const openSale = (saleId: string, units: number, changes: Partial<Sale> = {}) =>
    engine().openSale(saleId, units, { ...chargeFirst, ...changes });

  /** An order of a buyer with money, as it was placed. */
  async function placed(saleId: string, buyerId: string, options: Parameters<Engine['place']>[2] = {}): Promise<Order> {
    await openFunded(engine(), buyerId, openingMinor).catch(() => {});
    return sagasOn(engine()).placed(saleId, buyerId, options);
  }

  /** The same with what is set aside, as it was charged. */
  async function charged(saleId: string, buyerId: string, options: Parameters<Engine['place']>[2] = {}): Promise<Order> {
    const { order } = await engine().steps.charge(await placed(saleId, buyerId, options));
    expect(order).toMatchObject({ status: 'PENDING', payment: { state: 'authorised' } });
    return order;
  }

  return { openSale, placed, charged };
}
