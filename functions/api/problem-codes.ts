import type { ProblemCode } from '../shared/problems.ts';
import type { Route } from '../shared/route.ts';

/** Every code that a route may refuse with: its own, and those that every route of its kind has. */
export function problemCodesOf(route: Route): ProblemCode[] {
  const needsToken: ProblemCode[] = route.access === 'public' ? [] : ['UNAUTHENTICATED', 'FORBIDDEN'];
  const hasBody: ProblemCode[] = route.body ? ['INVALID_REQUEST', 'UNSUPPORTED_MEDIA_TYPE'] : [];
  const isKeyed: ProblemCode[] = route.keyed ? ['IDEMPOTENCY_KEY_REQUIRED', 'IDEMPOTENCY_KEY_REUSED', 'REQUEST_IN_FLIGHT'] : [];
  // Query parameters that the route does not know are refused too. A body where none is asked for is ignored, but not without end.
  const always: ProblemCode[] = ['INVALID_REQUEST', 'BODY_TOO_LARGE', 'RATE_LIMITED', 'TRY_AGAIN'];
  return [...new Set([...needsToken, ...hasBody, ...isKeyed, ...(route.problems ?? []), ...always])];
}
