import type { Outgoing } from '../../lib/client/connection.ts';
import { webhookHeaders } from '../../lib/client/webhooks.ts';
import type { World } from './world.ts';

/** What a caller meets at a route: they are let through, or this refusal. */
export type Cell = 'granted' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'NOT_CANCELLABLE' | 'CART_EMPTY' | 'PRODUCT_IN_USE';

/** What one request of a route comes to for everyone. Who has no valid token, or no scope, is refused where a token is asked for. */
export interface Case {
  readonly what?: string;
  /** All who may call it at all: nobody needs a token. */
  readonly strangers?: Cell;
  readonly buyer: Cell;
  readonly otherBuyer: Cell;
  readonly operator: Cell;
  readonly request: (world: World) => Outgoing;
}

const json = { 'content-type': 'application/json' };
const get =
  (path: (world: World) => string) =>
  (world: World): Outgoing => ({ method: 'GET', path: path(world) });
const sends =
  (method: Outgoing['method'], path: (world: World) => string, body: (world: World) => unknown = () => ({})) =>
  (world: World): Outgoing => ({
    method,
    path: path(world),
    // One key for all who try: those that are let through are different callers.
    headers: { ...json, 'idempotency-key': world.fresh },
    body: JSON.stringify(body(world)),
  });

const open = { strangers: 'granted', buyer: 'granted', otherBuyer: 'granted', operator: 'granted' } as const;
const ofBuyers = { buyer: 'granted', otherBuyer: 'granted', operator: 'FORBIDDEN' } as const;
const ofOperators = { buyer: 'FORBIDDEN', otherBuyer: 'FORBIDDEN', operator: 'granted' } as const;
/** Somebody else's is as if it were not there. */
const ofOwner = { buyer: 'granted', otherBuyer: 'NOT_FOUND', operator: 'granted' } as const;
const ofBoth = { buyer: 'granted', otherBuyer: 'granted', operator: 'granted' } as const;

const saleOf = ({ sale }: World) => `/v1/sales/${sale.saleId}`;
const cartOf = (world: World) => `${saleOf(world)}/cart`;
const cartItemOf = (world: World) => `${cartOf(world)}/items/${world.sale.sku}`;
const fulfilledOf = ({ fulfilled }: World) => `/v1/orders/${fulfilled.orderId}`;
const waitingOf = ({ waiting }: World) => `/v1/orders/${waiting.orderId}`;
const productOf = (sku: string) => ({ sku, name: 'A product', priceMinor: 100, currency: 'EUR' });
const times = { opensAt: '2026-01-01T00:00:00Z', closesAt: '2027-01-01T00:00:00Z' };

function notice({ waiting }: World): string {
  // Of another currency: whoever is believed may pay for the order, and this pays for nothing.
  const data = { paymentId: `pay-${waiting.orderId}`, orderId: `ord_${'0'.repeat(22)}`, amountMinor: 1, currency: 'EUR' };
  return JSON.stringify({ type: 'payment.failed', data });
}
const tells = (isSigned: boolean) => (world: World) => {
  const body = notice(world);
  const headers = webhookHeaders(body, { secrets: world.webhookSecrets.slice(0, 1) });
  const spoiled = { ...headers, 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` };
  return { method: 'POST', path: '/v1/webhooks/payments', headers: isSigned ? headers : spoiled, body } as const;
};
const refusesAll = (cell: Cell) => ({ strangers: cell, buyer: cell, otherBuyer: cell, operator: cell });
const unsigned = refusesAll('UNAUTHENTICATED');

/**
 * Every route by its `operationId`, in the order in which the cases run: what ends things comes last. A route without an entry here fails the test,
 * and so does an entry without a route.
 */
export const table: Readonly<Record<string, readonly Case[]>> = {
  readHealth: [{ ...open, request: get(() => '/v1/health') }],
  readOpenApi: [{ ...open, request: get(() => '/v1/openapi.json') }],
  readDocs: [{ ...open, request: get(() => '/docs') }],
  readDocsAsset: [{ ...open, request: get(({ asset }) => `/docs/${asset}`) }],
  listProducts: [{ ...open, request: get(() => '/v1/products?limit=1') }],
  readProduct: [{ ...open, request: get(({ sale }) => `/v1/products/${sale.sku}`) }],
  listSales: [{ ...open, request: get(() => '/v1/sales?limit=1') }],
  readSale: [{ ...open, request: get(saleOf) }],
  listSeats: [{ ...open, request: get((world) => `${saleOf(world)}/seats?sku=${world.sale.skus.at(-1)}`) }],
  checkTicket: [{ ...open, request: get(({ ticket }) => `/v1/tickets/${ticket}`) }],
  graphql: [
    {
      ...ofBoth,
      request: sends(
        'POST',
        () => '/v1/graphql',
        () => ({ query: '{ __typename }' }),
      ),
    },
  ],
  takePaymentWebhook: [
    { ...unsigned, what: 'signed by nobody', request: tells(false) },
    { ...open, what: 'signed', request: tells(true) },
  ],

  readMe: [{ ...ofBuyers, request: get(() => '/v1/me') }],
  readCart: [{ ...ofBuyers, request: get(cartOf) }],
  readOrder: [{ ...ofOwner, request: get(fulfilledOf) }],
  listOrders: [
    { ...ofBoth, request: get(({ sale }) => `/v1/orders?saleId=${sale.saleId}`) },
    { ...ofOperators, what: 'of a buyer by name', request: get(({ buyer }) => `/v1/orders?buyerId=${buyer.userId}`) },
  ],
  placeOrder: [
    {
      ...ofBuyers,
      request: sends(
        'POST',
        (world) => `${saleOf(world)}/orders`,
        ({ sale }) => ({
          items: [{ sku: sale.sku, quantity: 1 }],
          payment: { method: 'external' },
        }),
      ),
    },
    // The other buyer has no cart: another's cart is not theirs to order.
    {
      ...ofBuyers,
      what: 'of what is in the cart',
      request: sends(
        'POST',
        (world) => `${saleOf(world)}/orders`,
        () => ({ fromCart: true, payment: { method: 'external' } }),
      ),
      otherBuyer: 'CART_EMPTY',
    },
  ],
  setCartItem: [{ ...ofBuyers, request: sends('PUT', cartItemOf, () => ({ quantity: 1 })) }],
  dropCartItem: [{ ...ofBuyers, request: sends('DELETE', cartItemOf) }],
  clearCart: [{ ...ofBuyers, request: sends('DELETE', cartOf) }],
  cancelOrder: [
    { ...ofOwner, what: 'that waits', request: sends('POST', (world) => `${waitingOf(world)}/cancel`) },
    {
      ...{ buyer: 'NOT_CANCELLABLE', otherBuyer: 'NOT_FOUND', operator: 'NOT_CANCELLABLE' },
      what: 'that is fulfilled',
      request: sends('POST', (world) => `${fulfilledOf(world)}/cancel`),
    },
  ],

  auditSale: [{ ...ofOperators, request: get((world) => `${saleOf(world)}/audit`) }],
  orderTimeline: [{ ...ofOperators, request: get((world) => `${fulfilledOf(world)}/timeline`) }],
  readUser: [{ ...ofOperators, request: get(({ buyer }) => `/v1/users/${buyer.userId}`) }],
  listDeadLetters: [{ ...ofOperators, request: get(() => '/v1/dead-letters?queue=fulfilment&limit=1') }],
  listReconciliations: [{ ...ofOperators, request: get(() => '/v1/reconciliations?limit=1') }],
  createProduct: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/products',
        ({ fresh }) => productOf(fresh),
      ),
    },
  ],
  importProducts: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/products/bulk',
        ({ fresh }) => ({ items: [productOf(fresh)] }),
      ),
    },
  ],
  replaceProduct: [
    {
      ...ofOperators,
      request: sends(
        'PUT',
        ({ sale }) => `/v1/products/${sale.sku}`,
        ({ sale }) => productOf(sale.sku),
      ),
    },
  ],
  createSale: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/sales',
        ({ fresh, sale }) => ({
          ...{ saleId: fresh, name: 'A sale', ...times },
          items: [{ sku: sale.sku, units: 1 }],
        }),
      ),
    },
  ],
  restock: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        (world) => `${saleOf(world)}/restock`,
        ({ sale }) => ({ sku: sale.sku, units: 1, reason: 'found' }),
      ),
    },
  ],
  createUser: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/users',
        ({ fresh }) => ({ userId: fresh, balanceMinor: 5, currency: 'EUR' }),
      ),
    },
  ],
  creditUser: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        ({ buyer }) => `/v1/users/${buyer.userId}/credits`,
        () => ({ amountMinor: 1_000 }),
      ),
    },
    {
      ...ofOperators,
      what: 'of the other buyer',
      request: sends(
        'POST',
        ({ other }) => `/v1/users/${other.userId}/credits`,
        () => ({ amountMinor: 1_000 }),
      ),
    },
  ],
  reconcile: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/reconciliations',
        ({ doomed }) => ({ saleId: doomed.saleId }),
      ),
    },
  ],
  redriveDeadLetters: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        () => '/v1/dead-letters/redrive',
        () => ({ queue: 'fulfilment' }),
      ),
    },
  ],
  refundOrder: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        (world) => `${fulfilledOf(world)}/refund`,
        () => ({ reason: 'moved', returnUnits: true }),
      ),
    },
  ],
  changeSale: [
    {
      ...ofOperators,
      request: sends(
        'PATCH',
        ({ doomed }) => `/v1/sales/${doomed.saleId}`,
        () => ({ state: 'paused' }),
      ),
    },
  ],
  deleteProduct: [
    {
      // A product of a live sale: who may delete products is told why not this one.
      ...ofOperators,
      request: sends('DELETE', ({ sale }) => `/v1/products/${sale.sku}`),
      operator: 'PRODUCT_IN_USE',
    },
  ],
  cancelSale: [
    {
      ...ofOperators,
      request: sends(
        'POST',
        ({ doomed }) => `/v1/sales/${doomed.saleId}/cancel`,
        () => ({ reason: 'rain' }),
      ),
    },
  ],
};

/** A field of the GraphQL schema, asked for with a selection. */
export interface FieldCase {
  readonly buyer: Cell;
  readonly otherBuyer: Cell;
  readonly operator: Cell;
  readonly document: (world: World) => string;
}

const q = JSON.stringify;
const publicField = { buyer: 'granted', otherBuyer: 'granted', operator: 'granted' } as const;

/** Every field of `Query` and `Mutation`. Who has no token, or none with a scope, gets to none of them. */
export const fields: Readonly<Record<string, FieldCase>> = {
  'Query.products': { ...publicField, document: () => '{ products(limit: 1) { items { sku } } }' },
  'Query.product': { ...publicField, document: ({ sale }) => `{ product(sku: ${q(sale.sku)}) { sku } }` },
  'Query.sales': { ...publicField, document: () => '{ sales(limit: 1) { items { saleId } } }' },
  'Query.sale': { ...publicField, document: ({ sale }) => `{ sale(saleId: ${q(sale.saleId)}) { saleId } }` },
  'Query.order': { ...ofOwner, document: ({ fulfilled }) => `{ order(orderId: ${q(fulfilled.orderId)}) { orderId buyerId } }` },
  'Query.orders': { ...ofBoth, document: ({ sale }) => `{ orders(saleId: ${q(sale.saleId)}) { items { orderId buyerId } } }` },
  'Query.me': { ...ofBuyers, document: () => '{ me { userId balanceMinor } }' },
  'Mutation.placeOrder': {
    ...ofBuyers,
    document: ({ sale, fresh }) =>
      `mutation { placeOrder(saleId: ${q(sale.saleId)}, idempotencyKey: ${q(`gql-${fresh}`)}, ` +
      `items: [{ sku: ${q(sale.sku)}, quantity: 1 }], payment: { method: external }) { orderId buyerId } }`,
  },
  'Mutation.cancelOrder': {
    ...ofOwner,
    document: ({ waiting }) => `mutation { cancelOrder(orderId: ${q(waiting.orderId)}) { orderId buyerId } }`,
  },
};
