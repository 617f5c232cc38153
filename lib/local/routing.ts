import { UnsupportedTemplate } from './intrinsics.ts';

export interface RouteMatch<Target> {
  readonly routeKey: string;
  readonly target: Target;
  /** As they stand in the path, still encoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

interface Compiled<Target> {
  readonly routeKey: string;
  readonly method: string;
  readonly segments: readonly Segment[];
  readonly target: Target;
}

type Segment = { readonly kind: 'fixed'; readonly text: string } | { readonly kind: 'one' | 'rest'; readonly name: string };

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'ANY']);
const weights = { fixed: 0, one: 1, rest: 2 } as const;

/**
 * Picks the route of a request as an HTTP API does: the most specific path first (a fixed segment before a variable before a greedy one, from the
 * left), a method before `ANY`, and `$default` for what nothing else takes. Source: "Create routes for HTTP APIs" in the API Gateway
 * developer guide. Throws `UnsupportedTemplate` for a route key that it can't read.
 */
export class RouteTable<Target> {
  readonly #routes: readonly Compiled<Target>[];
  readonly #fixed = new Map<string, Compiled<Target>>();
  readonly #fallback: RouteMatch<Target> | undefined;

  constructor(routes: readonly { readonly routeKey: string; readonly target: Target }[]) {
    const fallback = routes.find(({ routeKey }) => routeKey === '$default');
    this.#fallback = fallback && { ...fallback, parameters: {} };
    const compiled = routes
      .filter(({ routeKey }) => routeKey !== '$default')
      .map(({ routeKey, target }) => ({ ...compile(routeKey), target }));
    this.#routes = compiled.sort(bySpecificity);
    for (const route of compiled) {
      if (route.method !== 'ANY' && route.segments.every(({ kind }) => kind === 'fixed')) this.#fixed.set(route.routeKey, route);
    }
  }

  match(method: string, path: string): RouteMatch<Target> | undefined {
    const exact = this.#fixed.get(`${method} ${path}`);
    if (exact) return { routeKey: exact.routeKey, target: exact.target, parameters: {} };
    const parts = path.slice(1).split('/');
    for (const route of this.#routes) {
      if (route.method !== 'ANY' && route.method !== method) continue;
      const parameters = parametersOf(route.segments, parts);
      if (parameters) return { routeKey: route.routeKey, target: route.target, parameters };
    }
    return this.#fallback;
  }
}

function compile(routeKey: string) {
  const [method = '', path, ...others] = routeKey.split(' ');
  if (!methods.has(method) || !path?.startsWith('/') || others.length > 0)
    throw new UnsupportedTemplate(`The route key ${routeKey} is not understood`);
  const segments = path
    .slice(1)
    .split('/')
    .map((text): Segment => {
      const [, name, greedy] = /^\{([^{}+]+)(\+?)\}$/.exec(text) ?? [];
      return name === undefined ? { kind: 'fixed', text } : { kind: greedy ? 'rest' : 'one', name };
    });
  return { routeKey, method, segments };
}

function bySpecificity(one: Compiled<unknown>, other: Compiled<unknown>): number {
  for (let at = 0; at < Math.max(one.segments.length, other.segments.length); at++) {
    const difference = weightAt(one, at) - weightAt(other, at);
    if (difference !== 0) return difference;
  }
  return Number(one.method === 'ANY') - Number(other.method === 'ANY');
}

const weightAt = ({ segments }: Compiled<unknown>, at: number): number => weights[segments[at]?.kind ?? 'fixed'];

function parametersOf(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    if (segment.kind === 'rest') {
      const rest = parts.slice(at).join('/');
      return rest === '' ? undefined : { ...parameters, [segment.name]: rest };
    }
    const part = parts[at];
    if (part === undefined) return undefined;
    if (segment.kind === 'fixed') {
      if (segment.text !== part) return undefined;
    } else if (part === '') return undefined;
    else parameters[segment.name] = part;
  }
  return parts.length === segments.length ? parameters : undefined;
}
