import type { Clock } from '../shared/clock.ts';
import { type Endpoint, endpoint, problemOf } from '../shared/http.ts';
import { operationsOf } from './ask.ts';
import { graphqlRoute } from './graphql.routes.ts';
import { run } from './run.ts';

/** GraphQL over the endpoints of the HTTP contract: each field is answered by one of them. */
export function graphqlEndpoints(endpoints: readonly Endpoint[], { clock }: { readonly clock: Clock }): Endpoint[] {
  const askFor = operationsOf(endpoints);
  const endpointOf = (event: Parameters<Endpoint['serve']>[0]) =>
    endpoint(graphqlRoute, async ({ body, requestId }) => {
      const hide = (error: unknown) => problemOf(error, requestId);
      const { answer, replayed } = await run(body, { ask: askFor(event), hide, nowMs: clock.nowMs });
      return { body: answer, replayed };
    });
  // What is asked within goes on in the name of the very event that came.
  return [{ route: graphqlRoute, serve: (event) => endpointOf(event).serve(event) }];
}
