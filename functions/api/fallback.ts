import type { Endpoint, HttpEvent, HttpResult } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import type { Route } from '../shared/route.ts';

/** The parameters of a path that fits a route's template, or undefined for one that does not. */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      // As the gateway does: what is fixed is compared as it stands, and only parameters are decoded.
      if (text !== part) return undefined;
      continue;
    }
    const value = decoded(text);
    if (value === undefined || value === '') return undefined;
    params[name] = value;
  }
  return params;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * Answers what the gateway has no route for: HEAD of a public GET as RFC 9110 asks for it, OPTIONS with what is allowed, 405 where the
 * path knows other methods, and 404. HEAD of anything else is refused, because the gateway checks no token here.
 */
export function fallback(routes: readonly Route[], endpoints: readonly Endpoint[]) {
  return async (event: HttpEvent): Promise<HttpResult> => {
    const { method } = event.requestContext.http;
    const found = routes.filter((route) => matchPath(route.path, event.rawPath));
    if (found.length === 0) throw new Problem('NOT_FOUND', 'There is nothing under this path.');
    if (method === 'HEAD') {
      const readable = endpoints.find(({ route }) => route.method === 'GET' && route.access === 'public' && found.includes(route));
      if (readable) return headOf(readable, event);
    }
    const allow = allowedMethods(found).join(', ');
    if (method === 'OPTIONS') return { statusCode: 204, headers: { allow, 'cache-control': 'no-store' } };
    throw new Problem('METHOD_NOT_ALLOWED', `This path knows ${allow}.`, {}, { allow });
  };
}

async function headOf({ route, serve }: Endpoint, event: HttpEvent): Promise<HttpResult> {
  const { body: _, ...answer } = await serve({ ...event, pathParameters: matchPath(route.path, event.rawPath) ?? {} });
  return answer;
}

function allowedMethods(routes: readonly Route[]): string[] {
  const methods = routes.flatMap(({ method, access }) => (method === 'GET' && access === 'public' ? ['GET', 'HEAD'] : [method]));
  return [...new Set([...methods, 'OPTIONS'])].sort();
}
