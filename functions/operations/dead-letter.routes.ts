import { defineRoute, type Route } from '../shared/route.ts';
import { DeadLettersAnswer, DeadLettersQuery, Redrive, RedriveAnswer } from './dead-letter.schemas.ts';

export const listDeadLettersRoute = defineRoute({
  operationId: 'listDeadLetters',
  method: 'GET',
  path: '/v1/dead-letters',
  access: 'operate',
  tag: 'Operations',
  summary: 'What is stuck and why',
  description:
    'Messages that used up their attempts, and events that were never published. Looking changes nothing, but two who look at one moment may each ' +
    'see a part. Not paged: `limit` bounds what is shown of each queue, `queues` says how much there is.',
  query: DeadLettersQuery,
  status: 200,
  answer: DeadLettersAnswer,
  servedBy: 'operations',
});

export const redriveRoute = defineRoute({
  operationId: 'redriveDeadLetters',
  method: 'POST',
  path: '/v1/dead-letters/redrive',
  access: 'operate',
  tag: 'Operations',
  summary: 'Send what is stuck on its way again',
  description:
    'Of one queue, or of all with `{}`. Mend the cause first: what fails again comes back here. Every consumer may hear a message any number of times, ' +
    'so this may be repeated, and has to be while `left` says that there is more.',
  body: Redrive,
  status: 202,
  answer: RedriveAnswer,
  servedBy: 'operations',
});

export const deadLetterRoutes: readonly Route[] = [listDeadLettersRoute, redriveRoute];
