import { SalePath } from '../sales/sale-path.schemas.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { AuditAnswer } from './audit.schemas.ts';

export const auditSaleRoute = defineRoute({
  operationId: 'auditSale',
  method: 'GET',
  path: '/v1/sales/{saleId}/audit',
  access: 'operate',
  tag: 'Operations',
  summary: 'Count a sale’s units and money',
  description:
    'Computed from rows read with strong consistency, with Redis beside them. Rows are read one after the other: while orders are being ' +
    'placed, figures may differ by what happened meanwhile; once things are quiet, they are exact.',
  params: SalePath,
  status: 200,
  answer: AuditAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'audit',
});

export const auditRoutes: readonly Route[] = [auditSaleRoute];
