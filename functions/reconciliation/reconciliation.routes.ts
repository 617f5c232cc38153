import { defineRoute, type Route } from '../shared/route.ts';
import { ReconciliationAnswer, ReconciliationListQuery, ReconciliationPage, ReconciliationRequest } from './reconciliation.schemas.ts';

const tag = 'Operations';

export const reconcileRoute = defineRoute({
  operationId: 'reconcile',
  method: 'POST',
  path: '/v1/reconciliations',
  access: 'operate',
  tag,
  summary: 'Compare Redis with the rows, and mend it',
  description:
    'Compares everything of one sale, or of every live one, and mends what two looks some seconds apart agree on. Whatever is live stays as it ' +
    'is: holds, carts and orders under way are not touched, so this is also how the state of a sale that sells is put right. What does not fit ' +
    'into the answer’s time is `unfinished`; the run that is made every five minutes has the time for the largest sale.',
  body: ReconciliationRequest,
  status: 200,
  answer: ReconciliationAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'reconciliation',
});

export const listReconciliationsRoute = defineRoute({
  operationId: 'listReconciliations',
  method: 'GET',
  path: '/v1/reconciliations',
  access: 'operate',
  tag,
  summary: 'List what reconciliations found and mended',
  description: 'Newest first, of the last 90 days.',
  query: ReconciliationListQuery,
  status: 200,
  answer: ReconciliationPage,
  servedBy: 'reconciliation',
});

export const reconciliationRoutes: readonly Route[] = [reconcileRoute, listReconciliationsRoute];
