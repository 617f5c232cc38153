import { OrderPath } from '../orders/order.schemas.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { TimelineAnswer, timelineRowsMax } from './timeline.schemas.ts';

export const orderTimelineRoute = defineRoute({
  operationId: 'orderTimeline',
  method: 'GET',
  path: '/v1/orders/{orderId}/timeline',
  access: 'operate',
  tag: 'Operations',
  summary: 'Read all that happened to an order',
  description:
    'Every transition, event, payment entry and stock step, in order, read with strong consistency. Versions tell the order of transitions, and not ' +
    `the times beside them, which are of several clocks. One answer has all of it: at most ${timelineRowsMax} transitions, as many entries of the ` +
    'ledger and as many payments from outside.',
  params: OrderPath,
  status: 200,
  answer: TimelineAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const timelineRoutes: readonly Route[] = [orderTimelineRoute];
