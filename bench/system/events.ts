import { eventOf } from '../../lib/local/http-event.ts';

const keyMark = 'the-key-of-a-request';
const buyerMark = 'the-buyer-of-a-request';

/** The event of a request that places an order, as JSON text, by buyer and key: made once, so that making it does not count. */
export function orderEvents(saleId: string, body: object): (buyer: string, key: string) => string {
  const path = `/v1/sales/${saleId}/orders`;
  const event = eventOf({
    ...{ method: 'POST', path, queryString: '', routeKey: 'POST /v1/sales/{saleId}/orders', pathParameters: { saleId } },
    headers: {
      host: '127.0.0.1',
      authorization: `Bearer ${'x'.repeat(600)}`,
      'content-type': 'application/json',
      'idempotency-key': keyMark,
    },
    body: Buffer.from(JSON.stringify(body)),
    authorised: { claims: { sub: buyerMark, scope: 'sale:buy' }, scopes: new Set(['sale:buy']) },
    ...{ requestId: 'bench', apiId: 'bench', sourceIp: '127.0.0.1', nowMs: Date.now() },
  });
  const text = JSON.stringify(event);
  return (buyer, key) => text.replace(keyMark, key).replace(buyerMark, buyer);
}

/** A buyer buys up to 20 units of a sale of the bench: as many orders, each under a key of its own. */
export const buyerOf = (number: number): string => `buyer-${Math.floor(number / 20)}`;
export const order = { items: [{ sku: 'seat-free', quantity: 1 }], payment: { method: 'external' } };
