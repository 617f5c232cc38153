import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { auditSaleRoute } from './audit.routes.ts';
import { type AuditPorts, auditOf } from './audit-sale.ts';

export const auditEndpoints = (ports: AuditPorts): Endpoint[] => [
  endpoint(auditSaleRoute, async ({ params }) => {
    const audited = await auditOf(params.saleId, ports);
    if (audited.outcome === 'not-found') throw new Problem('NOT_FOUND', 'There is no such sale.');
    return { body: audited.audit };
  }),
];
