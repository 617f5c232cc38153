import { systemClock as clock } from '../shared/clock.ts';
import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { graphqlEndpoints } from './graphql.endpoints.ts';
import { endpoints } from './graphql.wiring.ts';

/** GraphQL, in a function of its own: its library and its rights are no burden on the others. */
export const handler = httpHandler(graphqlEndpoints(endpoints, { clock }), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});
