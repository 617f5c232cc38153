import type { Order } from './order.model.ts';

const displayed = {
  CONFIRMED: 'PROCESSING',
  FULFILLED: 'COMPLETED',
  REFUNDING: 'REFUND_IN_PROGRESS',
  EXPIRED: 'EXPIRED',
  CANCELLED: 'CANCELLED',
  REFUNDED: 'REFUNDED',
} as const;

export const displayStatuses = [
  'AWAITING_PAYMENT',
  'AWAITING_INVENTORY',
  'FAILED',
  'FAILED_PAYMENT',
  'FAILED_OUT_OF_STOCK',
  ...Object.values(displayed),
] as const;
export type DisplayStatus = (typeof displayStatuses)[number];

/** What a buyer is shown: a pure function of the order. */
export function displayStatusOf(order: Pick<Order, 'status' | 'failure' | 'payment'>): DisplayStatus {
  switch (order.status) {
    case 'PENDING':
      return order.payment.state === 'none' ? 'AWAITING_PAYMENT' : 'AWAITING_INVENTORY';
    case 'RESERVED':
      return order.payment.method === 'external' ? 'AWAITING_PAYMENT' : 'PROCESSING';
    case 'FAILED':
      if (order.failure === 'PAYMENT_DECLINED') return 'FAILED_PAYMENT';
      return order.failure === 'OUT_OF_STOCK' ? 'FAILED_OUT_OF_STOCK' : 'FAILED';
    default:
      return displayed[order.status];
  }
}
