import type { Context } from 'aws-lambda';
import { routes } from '../../../functions/api/routes.ts';
import { operations } from '../../../functions/graphql/ask.ts';
import { graphqlEndpoints } from '../../../functions/graphql/graphql.endpoints.ts';
import { type Endpoint, endpoint, type Handle, httpHandler } from '../../../functions/shared/http.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { answerOf, buyer, type Call, eventOf } from '../../support/api.ts';
import type { GraphqlBody } from '../../support/graphql.ts';

export type AnyHandle = Handle<unknown, unknown, unknown, unknown>;

/** An order as its route answers, of an amount that GraphQL's own whole numbers could not hold. */
export const order = {
  ...{ orderId: `ord_${'a'.repeat(22)}`, saleId: 'launch', buyerId: 'ada', status: 'RESERVED', displayStatus: 'PROCESSING', version: 1 },
  ...{ items: [{ sku: 'tee', quantity: 1, units: ['1'], priceMinor: 2_500 }], totalMinor: 20_000_000_000, currency: 'EUR' },
  ...{ payment: { method: 'balance', state: 'none' }, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
};

/** The doors of the real routes, and behind each of them what a test puts there. */
export function served(handles: Partial<Record<(typeof operations)[number], AnyHandle>>, nowMs = () => 0) {
  const endpoints: Endpoint[] = operations.map((operation) => {
    const route = routes.find(({ operationId }) => operationId === operation);
    if (!route) throw new Error(operation);
    return endpoint(
      route,
      handles[operation] ??
        (async () => {
          throw new Problem('NOT_FOUND', 'Nothing here.');
        }),
    );
  });
  const notFound = async () => {
    throw new Problem('NOT_FOUND', 'Nothing here.');
  };
  const handler = httpHandler(graphqlEndpoints(endpoints, { clock: { nowMs } }), notFound);
  return async (body: unknown, call: Call = { as: buyer('ada') }) => {
    const answer = answerOf(await handler(eventOf('POST', '/v1/graphql', { ...call, body }), {} as Context));
    return { ...answer, graphql: answer.body as unknown as GraphqlBody };
  };
}

/** Tells of the caller, who has as much money as a number can hold exactly. */
export const me: AnyHandle = async ({ caller }) => ({
  body: { userId: caller.userId, balanceMinor: 9_007_199_254_740_991, currency: 'EUR' },
});
/** What an answer's errors say to programs. */
export const failures = ({ errors = [] }: GraphqlBody) => errors.map(({ extensions }) => extensions);
export const invalid = { code: 'INVALID_REQUEST', status: 400, retryable: false };
