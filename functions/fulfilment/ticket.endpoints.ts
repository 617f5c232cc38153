import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { type CheckTicketPorts, checkTicket } from './check-ticket.ts';
import { checkTicketRoute } from './ticket.routes.ts';

export const ticketEndpoints = (ports: CheckTicketPorts): Endpoint[] => [
  endpoint(checkTicketRoute, async ({ params }) => {
    const checked = await checkTicket(params.code, ports);
    if (checked.outcome === 'unknown') throw new Problem('NOT_FOUND', 'There is no such ticket.');
    const { valid, saleId, sku, unit } = checked;
    return { body: { valid, saleId, sku, unit } };
  }),
];
