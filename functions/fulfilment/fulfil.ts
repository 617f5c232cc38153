import type { OrderRepository, Step } from '../orders/order.ports.ts';
import { takeStep } from '../orders/order.step.ts';
import { fulfil } from '../orders/order.transitions.model.ts';
import type { Clock } from '../shared/clock.ts';
import { fulfilmentWrite } from './fulfilment.writes.ts';
import { issueTickets } from './ticket.model.ts';

/** The money is there: issues a signed ticket for each unit and keeps the record of it, in one transaction with the order's end. */
export const fulfilOrder =
  (ports: { orders: OrderRepository; clock: Clock; fulfilmentsTable: string; ticketSecret: () => Promise<string> }): Step =>
  async (order) => {
    const secret = await ports.ticketSecret();
    return takeStep(order, ports.orders, (current) => fulfil(current, issueTickets(current, secret), ports.clock.nowMs()), {
      extra: ({ next }) => [fulfilmentWrite(next, ports.fulfilmentsTable)],
    });
  };
