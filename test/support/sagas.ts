import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { advance } from '../../functions/orders/advance.ts';
import { allocateOrder } from '../../functions/orders/allocate-order.ts';
import type { Order, TakingBack } from '../../functions/orders/order.model.ts';
import { takeStep } from '../../functions/orders/order.step.ts';
import { receive } from '../../functions/orders/order.transitions.model.ts';
import type { PaidUnitsPorts } from '../../functions/orders/paid-units.ts';
import { reclaimOrder } from '../../functions/orders/reclaim-order.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { auditPortsOf, auditWith } from './audits.ts';
import type { Engine } from './engine.ts';

export const openingMinor = 10_000;

/** What happens to orders after they were placed, in either strategy, on an engine without events. */
export function sagasOn(engine: Engine) {
  const { orders } = engine;

  async function now(order: Pick<Order, 'orderId'>): Promise<Order> {
    const stored = await orders.get(order.orderId);
    if (!stored) throw new Error('the order is gone');
    return stored;
  }

  return {
    now,

    async placed(...args: Parameters<Engine['place']>): Promise<Order> {
      const outcome = await engine.place(...args);
      if (!('order' in outcome)) throw new Error(`not placed: ${outcome.outcome}`);
      return outcome.order;
    },

    async seatsPlaced(saleId: string, buyerId: string, seats: string[], method: 'balance' | 'external' = 'balance'): Promise<Order> {
      const outcome = await engine.order(saleId, buyerId, [{ sku: 'hall', seats }], { method });
      if (!('order' in outcome)) throw new Error(`not placed: ${outcome.outcome}`);
      return outcome.order;
    },

    /** Money of the right amount from outside. */
    async paidOutside(order: Pick<Order, 'orderId'>, paymentId = 'payment'): Promise<Order> {
      const step = await takeStep(await now(order), orders, (current) => receive(current, paymentId, Date.now()));
      if (step.outcome !== 'moved') throw new Error(`${order.orderId} takes no money`);
      return step.order;
    },

    /** As far as the order goes by itself at this moment, or `laterMs` later. */
    driven: async (order: Pick<Order, 'orderId'>, laterMs = 0): Promise<Order> =>
      advance(
        await now(order),
        engine.stepsAt(() => Date.now() + laterMs),
        () => Date.now() + laterMs,
      ),

    /** The steps that get units, with ports of a test. */
    gettingUnits: (ports: Partial<PaidUnitsPorts>) => ({
      allocate: allocateOrder({ ...engine.placePorts, ...ports }),
      reclaim: reclaimOrder({ ...engine.placePorts, ...ports }),
    }),

    takeBack: (order: Order, takenBack?: TakingBack) => engine.endForGood(order, takenBack),

    movementsOf: async (order: Pick<Order, 'buyerId' | 'orderId'>): Promise<string[]> => {
      const { Items = [] } = await engine.database.send(
        new QueryCommand({
          TableName: 'accounts',
          KeyConditionExpression: 'userId = :user AND begins_with(entry, :movement)',
          ExpressionAttributeValues: { ':user': order.buyerId, ':movement': 'movement#' },
        }),
      );
      return Items.filter((item) => item.orderId === order.orderId)
        .map((item) => String(item.kind))
        .sort();
    },

    async balanceOf({ buyerId }: Pick<Order, 'buyerId'>): Promise<number> {
      const { Item } = await engine.database.send(new GetCommand({ TableName: 'accounts', Key: { userId: buyerId, entry: 'account' } }));
      return Number(Item?.balanceMinor);
    },

    /** Everything that is wrong with the sale, by the audit; nothing if all is well. */
    async wrongWith(sale: Sale): Promise<unknown[]> {
      const audit = await auditWith(
        auditPortsOf(engine.database, sale, { stock: engine.stock, seats: engine.seatsOf(sale.saleId) }),
        sale.saleId,
      );
      return [
        ...audit.items.filter(({ conserved }) => !conserved),
        ...(audit.money.balanced ? [] : [audit.money]),
        ...audit.redis.drift,
        ...(audit.redis.agrees ? [] : ['Redis does not agree']),
      ];
    },
  };
}
