import type { OrderRepository } from '../orders/order.ports.ts';
import { rfc3339 } from '../shared/clock.ts';
import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { timelineOf } from './timeline.model.ts';
import type { OrderHistories } from './timeline.repository.ts';
import { orderTimelineRoute } from './timeline.routes.ts';
import { TimelineEntryAnswer, timelineRowsMax } from './timeline.schemas.ts';

export interface TimelinePorts {
  readonly orders: Pick<OrderRepository, 'get'>;
  readonly histories: OrderHistories;
}

export const timelineEndpoints = ({ orders, histories }: TimelinePorts): Endpoint[] => [
  endpoint(orderTimelineRoute, async ({ params: { orderId } }) => {
    const order = await orders.get(orderId);
    if (!order) throw new Problem('NOT_FOUND', 'There is no such order.');
    const { history, complete } = await histories.of(order, timelineRowsMax);
    const items = timelineOf(history).map(({ atMs, ...entry }) => TimelineEntryAnswer.parse({ ...entry, at: rfc3339(atMs) }));
    return { body: { orderId, items, complete } };
  }),
];
