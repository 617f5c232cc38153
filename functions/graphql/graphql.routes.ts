import { defineRoute, type Route } from '../shared/route.ts';
import { bytesPerPoint, callsMax, costMax, depthMax, tokensMax } from './bounds.model.ts';
import { GraphqlAnswer, GraphqlRequest } from './graphql.schemas.ts';

export const graphqlRoute = defineRoute({
  operationId: 'graphql',
  method: 'POST',
  path: '/v1/graphql',
  access: 'buy-or-operate',
  tag: 'GraphQL',
  summary: 'Read and buy by GraphQL',
  description:
    'Queries `products`, `product(sku)`, `sales`, `sale(saleId)`, `order(orderId)`, `orders(saleId, status, limit, cursor)`, `me`; mutations ' +
    '`placeOrder(saleId, idempotencyKey, items, payment)` and `cancelOrder(orderId)`. Each is the operation of this document that has its name, ' +
    'with the same fields, scopes, keys and refusals: an order that was placed here is replayed there, and the other way round. Lists are pages ' +
    '(`items`, `nextCursor`). Introspection tells the schema.\n\n' +
    'An answer to a GraphQL request is 200, also with `errors`, whose `extensions` carry `code`, `status`, `retryable` and what else the problem ' +
    'has; a document that cannot be read or does not fit the schema is `INVALID_REQUEST` there and does nothing. A body that is no GraphQL request ' +
    'is a problem document. Amounts of money are of the scalar `MinorUnits`, because they may be larger than GraphQL’s Int; words such as ' +
    '`RESERVED` are scalars too, written as in JSON.\n\n' +
    `One request has at most ${tokensMax} tokens and ${depthMax} levels, and asks for ${callsMax.query} things or does ${callsMax.mutation}. What the ` +
    `answer could come to is bounded as well, at some ${(costMax * bytesPerPoint) / 1_000_000} MB, where a page counts by its \`limit\`: ask for fewer ` +
    'fields or shorter pages. No requests by GET, no batches, no subscriptions. `Idempotency-Replayed` is sent when each `placeOrder` of the ' +
    'request was a replay; `extensions.replayed` names those that were.',
  body: GraphqlRequest,
  status: 200,
  answer: GraphqlAnswer,
  servedBy: 'graphql',
});

export const graphqlRoutes: readonly Route[] = [graphqlRoute];
