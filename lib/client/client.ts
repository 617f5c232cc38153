import type { Answer, Connection, Headers, Outgoing } from './connection.ts';
import type {
  AuditBody,
  BalanceBody,
  CartBody,
  CartItemRequest,
  CheckoutRequest,
  DeadLettersBody,
  HealthBody,
  ImportBody,
  OpenApiBody,
  OrderBody,
  OrderRequest,
  Page,
  PageQuery,
  ProductBody,
  ReconciliationBody,
  RedriveBody,
  RefundRequest,
  RestockRequest,
  SaleBody,
  SaleChangesRequest,
  SaleRequest,
  SeatBody,
  TicketBody,
  TimelineBody,
  UserRequest,
} from './contract.ts';

import { type PaymentNotice, type Signing, webhookHeaders } from './webhooks.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

const segment = encodeURIComponent;

function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given}`;
}

/** One caller's view of the HTTP contract: a method per route. Every answer is a value; only a missing one is thrown (`NoAnswer`). */
export class Client {
  readonly connection: Connection;
  readonly #authorisation: Headers;
  readonly #jsonHeaders: Headers;

  constructor(connection: Connection, token?: string) {
    this.connection = connection;
    this.#authorisation = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#jsonHeaders = { ...this.#authorisation, 'content-type': 'application/json' };
  }

  /** The same connections, another caller. */
  as(token: string): Client {
    return new Client(this.connection, token);
  }

  /** A request as given, with the caller's token: for what the methods below would not let through. */
  raw<Body = unknown>(request: Outgoing): Promise<Answer<Body>> {
    return this.connection.send<Body>({ ...request, headers: { ...this.#authorisation, ...request.headers } });
  }

  #get<Body>(path: string): Promise<Answer<Body>> {
    return this.connection.send<Body>({ method: 'GET', path, headers: this.#authorisation });
  }

  #post<Body>(path: string, body: unknown, key?: string): Promise<Answer<Body>> {
    const headers = key === undefined ? this.#jsonHeaders : { ...this.#jsonHeaders, 'idempotency-key': key };
    return this.connection.send<Body>({ method: 'POST', path, headers, body: JSON.stringify(body) });
  }

  health = () => this.#get<HealthBody>('/v1/health');
  openApi = () => this.#get<OpenApiBody>('/v1/openapi.json');
  products = (query: PageQuery = {}) => this.#get<Page<ProductBody>>(withQuery('/v1/products', { ...query }));
  product = (sku: string) => this.#get<ProductBody>(`/v1/products/${segment(sku)}`);
  sales = (query: PageQuery = {}) => this.#get<Page<SaleBody>>(withQuery('/v1/sales', { ...query }));
  sale = (saleId: string) => this.#get<SaleBody>(`/v1/sales/${segment(saleId)}`);
  seats = (saleId: string, sku: string, query: PageQuery = {}) =>
    this.#get<Page<SeatBody>>(withQuery(`/v1/sales/${segment(saleId)}/seats`, { sku, ...query }));
  ticket = (code: string) => this.#get<TicketBody>(`/v1/tickets/${segment(code)}`);

  cart = (saleId: string) => this.#get<CartBody>(`/v1/sales/${segment(saleId)}/cart`);
  setCartItem = (saleId: string, sku: string, item: CartItemRequest) =>
    this.connection.send<CartBody>({
      method: 'PUT',
      path: `/v1/sales/${segment(saleId)}/cart/items/${segment(sku)}`,
      headers: this.#jsonHeaders,
      body: JSON.stringify(item),
    });
  dropCartItem = (saleId: string, sku: string) =>
    this.raw<CartBody>({ method: 'DELETE', path: `/v1/sales/${segment(saleId)}/cart/items/${segment(sku)}` });
  clearCart = (saleId: string) => this.raw<CartBody>({ method: 'DELETE', path: `/v1/sales/${segment(saleId)}/cart` });

  /** Orders all that is in the cart. */
  checkOut = (saleId: string, key: string, order: CheckoutRequest = { fromCart: true }) =>
    this.#post<OrderBody>(`/v1/sales/${segment(saleId)}/orders`, order, key);
  placeOrder = (saleId: string, order: OrderRequest | CheckoutRequest, key: string) =>
    this.#post<OrderBody>(`/v1/sales/${segment(saleId)}/orders`, order, key);
  order = (orderId: string) => this.#get<OrderBody>(`/v1/orders/${segment(orderId)}`);
  orders = (query: PageQuery & { saleId?: string; status?: string; buyerId?: string } = {}) =>
    this.#get<Page<OrderBody>>(withQuery('/v1/orders', { ...query }));
  cancelOrder = (orderId: string) => this.#post<OrderBody>(`/v1/orders/${segment(orderId)}/cancel`, {});
  refund = (orderId: string, refund: RefundRequest, key: string) =>
    this.#post<OrderBody>(`/v1/orders/${segment(orderId)}/refund`, refund, key);
  timeline = (orderId: string) => this.#get<TimelineBody>(`/v1/orders/${segment(orderId)}/timeline`);
  me = () => this.#get<BalanceBody>('/v1/me');

  createProduct = (product: ProductBody) => this.#post<ProductBody>('/v1/products', product);
  importProducts = (items: readonly unknown[]) => this.#post<ImportBody>('/v1/products/bulk', { items });
  putProduct = (product: ProductBody) =>
    this.connection.send<ProductBody>({
      method: 'PUT',
      path: `/v1/products/${segment(product.sku)}`,
      headers: this.#jsonHeaders,
      body: JSON.stringify(product),
    });
  deleteProduct = (sku: string) => this.raw<string>({ method: 'DELETE', path: `/v1/products/${segment(sku)}` });
  createSale = (sale: SaleRequest, key: string) => this.#post<SaleBody>('/v1/sales', sale, key);
  patchSale = (saleId: string, changes: SaleChangesRequest) =>
    this.connection.send<SaleBody>({
      method: 'PATCH',
      path: `/v1/sales/${segment(saleId)}`,
      headers: this.#jsonHeaders,
      body: JSON.stringify(changes),
    });
  restock = (saleId: string, delivery: RestockRequest, key: string) =>
    this.#post<SaleBody>(`/v1/sales/${segment(saleId)}/restock`, delivery, key);
  cancelSale = (saleId: string, reason: string, key: string) =>
    this.#post<SaleBody>(`/v1/sales/${segment(saleId)}/cancel`, { reason }, key);
  audit = (saleId: string) => this.#get<AuditBody>(`/v1/sales/${segment(saleId)}/audit`);
  deadLetters = (query: { queue?: string; limit?: number } = {}) => this.#get<DeadLettersBody>(withQuery('/v1/dead-letters', query));
  redrive = (queue?: string) => this.#post<RedriveBody>('/v1/dead-letters/redrive', queue === undefined ? {} : { queue });
  reconcile = (request: { saleId?: string } = {}) => this.#post<ReconciliationBody>('/v1/reconciliations', request);
  reconciliations = (query: PageQuery = {}) => this.#get<Page<ReconciliationBody>>(withQuery('/v1/reconciliations', { ...query }));
  createUser = (user: UserRequest) => this.#post<BalanceBody>('/v1/users', user);
  user = (userId: string) => this.#get<BalanceBody>(`/v1/users/${segment(userId)}`);
  credit = (userId: string, amountMinor: number, key: string) =>
    this.#post<BalanceBody>(`/v1/users/${segment(userId)}/credits`, { amountMinor }, key);

  /** What a payment provider tells, signed as it would. */
  tellOfPayment(notice: PaymentNotice, signing: Signing): Promise<Answer<string>> {
    const body = JSON.stringify(notice);
    return this.connection.send<string>({ method: 'POST', path: '/v1/webhooks/payments', headers: webhookHeaders(body, signing), body });
  }

  /** Embedded runtime only. */
  localToken = (request: { sub: string; scope: string; expiresInSeconds?: number; audience?: string }) =>
    this.#post<{ access_token: string }>('/local/token', request);
  /** Embedded runtime only: answers when the run is done. */
  localRun = (schedule: 'sweeper' | 'reconciler' | 'outbox') => this.#post<unknown>(`/local/run/${schedule}`, {});
}
