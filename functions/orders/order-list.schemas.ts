import * as z from 'zod';
import { SaleId, UserId } from '../shared/ids.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import { orderStatuses } from './order.model.ts';
import { OrderAnswer } from './order.schemas.ts';

export const orderList = 'orders';

export const OrderListQuery = z.strictObject({
  saleId: SaleId.optional().meta({ description: 'Only orders of this sale.' }),
  status: z.enum(orderStatuses).optional().meta({ description: 'Only orders with this status.' }),
  buyerId: UserId.optional().meta({ description: 'Only orders of this buyer. For operators; refused with `FORBIDDEN` from a buyer.' }),
  ...pageQuery(orderList),
});
export type OrderListQuery = z.output<typeof OrderListQuery>;
export const OrderPage = pageOf(OrderAnswer).meta({ id: 'OrderPage' });
