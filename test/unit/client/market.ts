import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anAudit, anOrder } from './evidence.ts';

/** How a market may be broken, to see whether `npm run sale` notices. */
export type Flaw =
  | 'none'
  | 'sells a unit twice'
  | 'forgets an order'
  | 'never fulfils'
  | 'fails every third time'
  | 'fails always'
  | 'refuses free seats';

/** One sale in memory that speaks as much of the contract as `npm run sale` needs. It sells at 4999. */
export async function openMarket(flaw: Flaw) {
  let total = 0;
  let sku = '';
  let seats: readonly string[] = [];
  let asked = 0;
  const orders = new Map<string, ReturnType<typeof anOrder>>();

  const reply = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', 'x-request-id': 'r' });
    response.end(JSON.stringify(body));
  };
  const refuse = (response: ServerResponse, status: number, code: string, retryable = false) =>
    reply(response, status, { code, status, retryable, type: '', title: code, detail: code, instance: '' });

  const takenSeats = () => new Set([...orders.values()].flatMap((order) => order.items.flatMap(({ units }) => units)));
  const listSeats = (response: ServerResponse) => {
    const taken = takenSeats();
    const items = seats.map((seat) => ({ seat, state: flaw !== 'refuses free seats' && taken.has(seat) ? 'sold' : 'free' }));
    reply(response, 200, { items, nextCursor: null });
  };

  function sell(response: ServerResponse, buyerId: string, key: string, [wanted]: readonly { seats?: readonly string[] }[]) {
    asked++;
    if (flaw === 'fails always' || (flaw === 'fails every third time' && asked % 3 === 0)) return refuse(response, 503, 'TRY_AGAIN', true);
    const known = orders.get(key);
    if (known) return reply(response, 201, known);
    const taken = takenSeats();
    const others = (wanted?.seats ?? []).filter((seat) => flaw === 'refuses free seats' || (flaw === 'none' && taken.has(seat)));
    if (others.length > 0) return reply(response, 409, { code: 'SEAT_TAKEN', status: 409, retryable: false, sku, seats: others });
    if (orders.size >= total) return refuse(response, 409, 'SOLD_OUT');
    const units = wanted?.seats ?? [flaw === 'sells a unit twice' ? '1' : String(orders.size + 1)];
    const items = [{ sku, quantity: units.length, units, priceMinor: 4_999 }];
    const order = anOrder(orders.size + 1, units, {
      buyerId,
      items,
      ...(flaw === 'never fulfils' ? { status: 'RESERVED' as const } : {}),
    });
    orders.set(key, order);
    return reply(response, 201, order);
  }

  const audit = () => {
    const sold = flaw === 'never fulfils' ? 0 : orders.size;
    const { items, money, ...rest } = anAudit(sold, total);
    const taken = sold * 4_999;
    return { ...rest, items: items.map((item) => ({ ...item, sku })), money: { ...money, capturedMinor: taken, fulfilledMinor: taken } };
  };

  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body = text === '' ? {} : JSON.parse(text);
      const [path = ''] = (request.url ?? '').split('?');
      const caller = JSON.parse(Buffer.from(request.headers.authorization?.split('.')[1] ?? 'e30', 'base64url').toString('utf8'));
      if (path === '/local/token')
        return reply(response, 200, { access_token: `e30.${Buffer.from(JSON.stringify({ sub: body.sub })).toString('base64url')}.s` });
      if (path.endsWith('/audit')) return reply(response, 200, audit());
      if (request.method === 'POST' && path.endsWith('/orders'))
        return sell(response, caller.sub, String(request.headers['idempotency-key']), body.items);
      if (path.endsWith('/seats')) return listSeats(response);
      if (path === '/v1/orders')
        return reply(response, 200, { items: [...orders.values()].slice(flaw === 'forgets an order' ? 1 : 0), nextCursor: null });
      if (path.startsWith('/v1/orders/')) return refuse(response, 404, 'NOT_FOUND');
      if (request.method === 'POST' && path === '/v1/sales') {
        [{ sku, seats = [], units: total = seats.length }] = body.items;
      }
      return reply(response, request.method === 'POST' ? 201 : 200, body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
