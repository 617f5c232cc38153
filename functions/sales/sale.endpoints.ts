import { type Endpoint, endpoint, keyedRequest } from '../shared/http.ts';
import { encodeCursor } from '../shared/page.ts';
import { Problem } from '../shared/problems.ts';
import { type CreateSaleOutcome, type CreateSalePorts, createSale } from './create-sale.ts';
import { type ListSeatsPorts, listSeats } from './list-seats.ts';
import { listSales, type ReadSalesPorts, readSale } from './read-sales.ts';
import { etagOf, isKnownTo } from './sale.answer.ts';
import { createSaleRoute, listSalesRoute, listSeatsRoute, readSaleRoute } from './sale.routes.ts';
import { saleList, seatList } from './sale.schemas.ts';

export type SaleEndpointPorts = CreateSalePorts & ReadSalesPorts & ListSeatsPorts;

/** An answer that may be kept for a second, or 304 for who has it already. */
function cacheable<Body>(body: Body, ifNoneMatch: string | undefined) {
  const etag = etagOf(body);
  const headers = { etag, 'cache-control': 'public, max-age=1' };
  return isKnownTo(ifNoneMatch, etag) ? { status: 304, headers } : { body, headers };
}

/** The sales with what is left of them, as anybody reads them. */
export function saleReadingEndpoints(ports: ReadSalesPorts): Endpoint[] {
  return [
    endpoint(listSalesRoute, async ({ query, headers }) => {
      const { sales, next } = await listSales({ limit: query.limit, after: query.cursor }, ports);
      return cacheable({ items: sales, nextCursor: next === undefined ? null : encodeCursor(saleList, next) }, headers['if-none-match']);
    }),

    endpoint(readSaleRoute, async ({ params, headers }) => {
      const read = await readSale(params.saleId, ports);
      switch (read.outcome) {
        case 'found':
          return cacheable(read.sale, headers['if-none-match']);
        case 'not-found':
          throw new Problem('NOT_FOUND', 'There is no such sale.');
        case 'stock-not-ready':
          throw new Problem('STOCK_NOT_READY', 'The stock of this sale is not ready.');
      }
    }),
  ];
}

export function saleEndpoints(ports: SaleEndpointPorts): Endpoint[] {
  return [
    ...saleReadingEndpoints(ports),

    endpoint(listSeatsRoute, async ({ params, query, headers }) => {
      const listed = await listSeats(params.saleId, { sku: query.sku, limit: query.limit, after: query.cursor }, ports);
      switch (listed.outcome) {
        case 'page': {
          const nextCursor = listed.next === undefined ? null : encodeCursor(seatList, listed.next);
          return cacheable({ items: listed.seats, nextCursor }, headers['if-none-match']);
        }
        case 'not-found':
          throw new Problem('NOT_FOUND', 'There is no such sale.');
        case 'not-seated':
          throw new Problem('INVALID_REQUEST', `query.sku: this sale sells no seats of ${query.sku}`);
        case 'bad-position':
          throw new Problem('INVALID_REQUEST', 'query.cursor: is not a cursor of this list');
        case 'stock-not-ready':
          throw new Problem('STOCK_NOT_READY', 'The stock of this sale is not ready.');
      }
    }),

    endpoint(createSaleRoute, async (request) => {
      const created = await createSale(request.body, { ...keyedRequest(request), by: request.caller.userId }, ports);
      if (!('answer' in created)) throw refusal(created);
      const headers = { location: `/v1/sales/${created.saleId}` };
      return { text: created.answer.body, status: created.answer.status, replayed: created.outcome === 'replayed', headers };
    }),
  ];
}

function refusal(refused: Exclude<CreateSaleOutcome, { answer: unknown }>): Problem {
  switch (refused.outcome) {
    case 'key-reused':
      return new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; another sale needs another key.');
    case 'already-exists':
      return new Problem('ALREADY_EXISTS', `There is a sale ${refused.saleId} already.`);
    case 'unknown-products':
      return new Problem('INVALID_REQUEST', `No such product: ${refused.skus.join(', ')}.`);
    case 'mixed-currencies':
      return new Problem('INVALID_REQUEST', `A sale has one currency; these products have ${refused.currencies.join(', ')}.`);
    case 'in-too-many-sales':
      return new Problem('INVALID_REQUEST', `The product ${refused.sku} is in too many sales.`);
  }
}
