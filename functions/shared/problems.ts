/** The closed list of problem codes of the HTTP contract, with the status each is answered with. */
export const problemStatus = {
  INVALID_REQUEST: 400,
  IDEMPOTENCY_KEY_REQUIRED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  SOLD_OUT: 409,
  SEAT_TAKEN: 409,
  BUYER_LIMIT: 409,
  SALE_NOT_OPEN: 409,
  SALE_PAUSED: 409,
  REQUEST_IN_FLIGHT: 409,
  NOT_CANCELLABLE: 409,
  NOT_REFUNDABLE: 409,
  PRODUCT_IN_USE: 409,
  ALREADY_EXISTS: 409,
  CART_EMPTY: 409,
  CART_EXPIRED: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  RATE_LIMITED: 429,
  STOCK_NOT_READY: 503,
  TRY_AGAIN: 503,
} as const;

export type ProblemCode = keyof typeof problemStatus;

const retryableCodes: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'REQUEST_IN_FLIGHT',
  'SALE_PAUSED',
  'RATE_LIMITED',
  'STOCK_NOT_READY',
  'TRY_AGAIN',
]);

/** Whether the same request, unchanged, may succeed later. */
export const isRetryable = (code: ProblemCode): boolean => retryableCodes.has(code);

const titles: Record<ProblemCode, string> = {
  INVALID_REQUEST: 'The request is not valid',
  IDEMPOTENCY_KEY_REQUIRED: 'An Idempotency-Key header is required',
  UNAUTHENTICATED: 'A valid bearer token is required',
  FORBIDDEN: 'The token does not allow this',
  NOT_FOUND: 'There is no such resource',
  METHOD_NOT_ALLOWED: 'The resource does not know this method',
  SOLD_OUT: 'Not enough units are left',
  SEAT_TAKEN: 'The seat is taken',
  BUYER_LIMIT: 'The limit per buyer is reached',
  SALE_NOT_OPEN: 'The sale is not open',
  SALE_PAUSED: 'The sale is paused',
  REQUEST_IN_FLIGHT: 'The same request is being worked on',
  NOT_CANCELLABLE: 'The order can no longer be cancelled',
  NOT_REFUNDABLE: 'The order cannot be refunded',
  PRODUCT_IN_USE: 'The product is part of a live sale',
  ALREADY_EXISTS: 'The resource exists already',
  CART_EMPTY: 'The cart is empty',
  CART_EXPIRED: 'The cart has expired',
  BODY_TOO_LARGE: 'The body is too large',
  UNSUPPORTED_MEDIA_TYPE: 'The body must be application/json',
  IDEMPOTENCY_KEY_REUSED: 'The Idempotency-Key was used with another payload',
  RATE_LIMITED: 'Too many requests',
  STOCK_NOT_READY: 'The stock of this sale is not ready',
  TRY_AGAIN: 'The outcome is not known yet; try again with the same key',
};

/** What a use case refuses with, to be answered as a problem document. Thrown by HTTP handlers only; use cases return outcomes. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  /** Further members of the document. */
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    extensions: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.code = code;
    this.extensions = extensions;
    this.headers = headers;
  }
}

const kebab = (code: ProblemCode) => code.toLowerCase().replaceAll('_', '-');

/** The body and headers of a problem answer. `instance` is the request's path. */
export function problemResponse(problem: Problem, instance: string) {
  const status = problemStatus[problem.code];
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      // RFC 9110 asks for the scheme with every 401.
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(status === 429 || status === 503 || problem.code === 'REQUEST_IN_FLIGHT' ? { 'retry-after': '1' } : {}),
      ...problem.headers,
    },
    body: {
      type: `/problems/${kebab(problem.code)}`,
      title: titles[problem.code],
      status,
      detail: problem.message,
      instance,
      code: problem.code,
      retryable: isRetryable(problem.code),
      ...problem.extensions,
    },
  };
}
