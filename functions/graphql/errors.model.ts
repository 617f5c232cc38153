import { GraphQLError } from 'graphql';
import { Problem, problemResponse } from '../shared/problems.ts';
import type { GraphqlFailure } from './graphql.schemas.ts';

/** Makes a problem of whatever else was thrown, and keeps what it was to itself. */
export type Hide = (error: unknown) => Problem;

const isIdempotencyKeyMissing = ({ extensions }: GraphQLError): boolean => extensions.code === 'IDEMPOTENCY_KEY_REQUIRED';

/**
 * What an error of the executor is in the contract's words. A refusal by an operation is its own problem; what GraphQL itself complains about is
 * the request's fault; anything else is ours, and is hidden.
 */
function problemOf(error: GraphQLError, hide: Hide): Problem {
  const { originalError } = error;
  if (originalError instanceof Problem) return originalError;
  if (originalError !== undefined && !(originalError instanceof GraphQLError)) return hide(originalError);
  return new Problem(isIdempotencyKeyMissing(error) ? 'IDEMPOTENCY_KEY_REQUIRED' : 'INVALID_REQUEST', error.message);
}

/** An error as it is answered: the problem's own members stand in `extensions`, and nothing internal gets out. */
export function failureOf(error: GraphQLError, hide: Hide): GraphqlFailure {
  const problem = problemOf(error, hide);
  const { headers, body } = problemResponse(problem, '');
  const { code, status, retryable } = body;
  const retryAfter = headers['retry-after'];
  return {
    message: problem.message,
    ...(error.locations === undefined ? {} : { locations: error.locations.map(({ line, column }) => ({ line, column })) }),
    ...(error.path === undefined ? {} : { path: [...error.path] }),
    extensions: {
      ...problem.extensions,
      code,
      status,
      retryable,
      ...(retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }),
    },
  };
}
