import { defineRoute, type Route } from '../shared/route.ts';
import { TicketAnswer, TicketPath } from './ticket.schemas.ts';

export const checkTicketRoute = defineRoute({
  operationId: 'checkTicket',
  method: 'GET',
  path: '/v1/tickets/{code}',
  access: 'public',
  tag: 'Tickets',
  summary: 'Check a ticket code',
  description: 'A forged or unknown code is `NOT_FOUND`.',
  params: TicketPath,
  status: 200,
  answer: TicketAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const ticketRoutes: readonly Route[] = [checkTicketRoute];
