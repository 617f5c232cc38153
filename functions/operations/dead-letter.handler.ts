import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { deadLetterEndpoints } from './dead-letter.endpoints.ts';
import { deadLetterPorts } from './dead-letter.wiring.ts';

/** Dead letters: a function of its own, because it alone may take messages out of their queues. */
export const handler = httpHandler(deadLetterEndpoints(deadLetterPorts), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});
