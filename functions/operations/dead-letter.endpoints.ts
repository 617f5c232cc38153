import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { listDeadLettersRoute, redriveRoute } from './dead-letter.routes.ts';
import { type DeadLetterPorts, listDeadLetters, redrive } from './dead-letters.ts';

const unknownQueue = (known: readonly string[]) => new Problem('INVALID_REQUEST', `There is no such queue. There are ${known.join(', ')}.`);

export const deadLetterEndpoints = (ports: DeadLetterPorts): Endpoint[] => [
  endpoint(listDeadLettersRoute, async ({ query }) => {
    const listed = await listDeadLetters(query, ports);
    if (listed.outcome === 'unknown-queue') throw unknownQueue(listed.known);
    return { body: listed.answer };
  }),
  endpoint(redriveRoute, async ({ body }) => {
    const redriven = await redrive(body.queue, ports);
    if (redriven.outcome === 'unknown-queue') throw unknownQueue(redriven.known);
    return { body: redriven.answer };
  }),
];
