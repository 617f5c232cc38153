import { expect } from 'vitest';
import { Client } from '../../lib/client/client.ts';
import type { Answer, Connection } from '../../lib/client/connection.ts';
import type {
  BalanceBody,
  CheckoutRequest,
  OrderBody,
  OrderRequest,
  Page,
  PageQuery,
  ProblemBody,
  SaleBody,
} from '../../lib/client/contract.ts';

interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: ProblemBody['code'];
    readonly status: number;
    readonly retryable: boolean;
    readonly retryAfterSeconds?: number;
  };
}

export interface GraphqlBody<Data = Readonly<Record<string, unknown>>> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphqlError[];
  readonly extensions?: { readonly replayed: readonly string[] };
}

const saleFields = `saleId name state serverTime opensAt closesAt perBuyerLimit holdSeconds strategy
  items { sku name priceMinor currency total available seated }`;
const orderFields = `orderId saleId buyerId status displayStatus failure version items { sku quantity units priceMinor } totalMinor currency
  holdExpiresAt payment { method state } tickets { sku unit code } createdAt updatedAt`;

const documents = {
  sale: `query ($saleId: String!) { sale(saleId: $saleId) { ${saleFields} } }`,
  order: `query ($orderId: String!) { order(orderId: $orderId) { ${orderFields} } }`,
  orders: `query ($saleId: String, $status: OrderStatus, $limit: Int, $cursor: String) {
    orders(saleId: $saleId, status: $status, limit: $limit, cursor: $cursor) { items { ${orderFields} } nextCursor } }`,
  me: '{ me { userId balanceMinor currency } }',
  placeOrder: `mutation ($saleId: String!, $idempotencyKey: String!, $items: [OrderLineInput!]!, $payment: PaymentInput) {
    placeOrder(saleId: $saleId, idempotencyKey: $idempotencyKey, items: $items, payment: $payment) { ${orderFields} } }`,
  cancelOrder: `mutation ($orderId: String!) { cancelOrder(orderId: $orderId) { ${orderFields} } }`,
} as const;
type Field = keyof typeof documents;

/** What GraphQL answers with null, the contract's JSON leaves out; but a last page says that it is one. */
const absent = (name: string, value: unknown) => (value === null && name !== 'nextCursor' ? undefined : value);

/**
 * The same caller, whose requests go through GraphQL where GraphQL has them, and whose answers are told in the words of the other routes. So a case
 * that was written for those holds for this way too. What has no token goes the other way: GraphQL always needs one.
 */
export class GraphqlClient extends Client {
  readonly #token: string | undefined;
  readonly #rest: Client;

  constructor(connection: Connection, token?: string) {
    super(connection, token);
    this.#token = token;
    this.#rest = new Client(connection, token);
  }

  override as(token: string): GraphqlClient {
    return new GraphqlClient(this.connection, token);
  }

  /** A GraphQL request as given. */
  graphql<Data = Readonly<Record<string, unknown>>>(request: unknown): Promise<Answer<GraphqlBody<Data>>> {
    const headers = { 'content-type': 'application/json' };
    return this.raw<GraphqlBody<Data>>({ method: 'POST', path: '/v1/graphql', headers, body: JSON.stringify(request) });
  }

  async #ask<Body>(field: Field, variables: Readonly<Record<string, unknown>>, status = 200): Promise<Answer<Body>> {
    const answer = await this.graphql({ query: documents[field], variables });
    return answer.ok ? asRouteAnswers<Body>(answer, field, status) : answer;
  }

  override placeOrder = (saleId: string, order: OrderRequest | CheckoutRequest, idempotencyKey: string): Promise<Answer<OrderBody>> => {
    if ('fromCart' in order) return this.#rest.placeOrder(saleId, order, idempotencyKey);
    const { items, payment } = order;
    return this.#ask('placeOrder', { saleId, idempotencyKey, items, ...(payment && { payment }) }, 201);
  };
  override cancelOrder = (orderId: string): Promise<Answer<OrderBody>> => this.#ask('cancelOrder', { orderId });
  override order = (orderId: string): Promise<Answer<OrderBody>> => this.#ask('order', { orderId });
  override orders = (query: PageQuery & { saleId?: string; status?: string; buyerId?: string } = {}): Promise<Answer<Page<OrderBody>>> =>
    query.buyerId === undefined ? this.#ask('orders', { ...query }) : this.#rest.orders(query);
  override me = (): Promise<Answer<BalanceBody>> => this.#ask('me', {});
  override sale = (saleId: string): Promise<Answer<SaleBody>> =>
    this.#token === undefined ? this.#rest.sale(saleId) : this.#ask('sale', { saleId });
}

/** An executed request's answer as the route behind the field would have given it. */
function asRouteAnswers<Body>(answer: Answer<GraphqlBody> & { readonly ok: true }, field: Field, status: number): Answer<Body> {
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/json');
  const { data, errors = [] } = answer.body;
  const [error] = errors;
  if (error) return asProblem(answer, error);
  const text = JSON.stringify(data?.[field], absent);
  return { status, headers: answer.headers, text, ok: true, body: JSON.parse(text) as Body };
}

function asProblem(answer: Answer<GraphqlBody>, { message, extensions }: GraphqlError): Answer<never> {
  const { code, status, retryAfterSeconds } = extensions;
  const type = `/problems/${code.toLowerCase().replaceAll('_', '-')}`;
  const body: ProblemBody = { ...extensions, type, title: code, detail: message, instance: '/v1/graphql' };
  const headers = {
    ...answer.headers,
    'content-type': 'application/problem+json',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  return { status, headers, text: answer.text, ok: false, body };
}
