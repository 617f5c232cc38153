import { userRoutes } from '../accounts/user.routes.ts';
import { cartRoutes } from '../cart/cart.routes.ts';
import { productRoutes } from '../catalogue/product.routes.ts';
import { docsRoutes } from '../docs/docs.routes.ts';
import { ticketRoutes } from '../fulfilment/ticket.routes.ts';
import { graphqlRoutes } from '../graphql/graphql.routes.ts';
import { auditRoutes } from '../operations/audit.routes.ts';
import { deadLetterRoutes } from '../operations/dead-letter.routes.ts';
import { timelineRoutes } from '../operations/timeline.routes.ts';
import { orderRoutes } from '../orders/order.routes.ts';
import { webhookRoutes } from '../payments/webhook.routes.ts';
import { reconciliationRoutes } from '../reconciliation/reconciliation.routes.ts';
import { saleRoutes } from '../sales/sale.routes.ts';
import type { Route } from '../shared/route.ts';
import { apiRoutes } from './api.routes.ts';

/** Every route of the HTTP contract: the one list for the gateway's template, the OpenAPI document and the tests of who may call what. */
export const routes: readonly Route[] = [
  ...apiRoutes,
  ...docsRoutes,
  ...productRoutes,
  ...saleRoutes,
  ...cartRoutes,
  ...orderRoutes,
  ...ticketRoutes,
  ...userRoutes,
  ...timelineRoutes,
  ...deadLetterRoutes,
  ...auditRoutes,
  ...reconciliationRoutes,
  ...webhookRoutes,
  ...graphqlRoutes,
];
