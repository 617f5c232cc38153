import type { Assembly } from './assembly.ts';
import type { Api, RouteTarget } from './gateway.ts';
import { UnsupportedTemplate, unqualified } from './intrinsics.ts';
import { type Issuer, jwtAuthorizer, type Verify } from './issuer.ts';
import { RouteTable } from './routing.ts';
import { tokenBucket } from './throttle.ts';

type ApiParts = Pick<Assembly, 'apis' | 'stages' | 'routes' | 'integrations' | 'authorizers'>;

/** The template's one HTTP API as the gateway serves it. Throws `UnsupportedTemplate` for a route that leads nowhere. */
export function apiOf(
  { apis, stages, routes, integrations, authorizers }: ApiParts,
  functionOf: (arn: string, place: string) => RouteTarget['function'],
  issuer: Issuer,
  startMs: number,
): Omit<Api, 'local'> {
  const [api, ...others] = apis;
  if (!api || others.length > 0) throw new UnsupportedTemplate(`This runtime hosts one HTTP API, and the template has ${apis.length}`);
  const verifiers = new Map<string, Verify>(
    authorizers.map(({ logicalId, properties }) => {
      const { Issuer: issuerName, Audience } = properties.JwtConfiguration;
      return [logicalId, jwtAuthorizer({ keys: issuer.keys, issuer: issuerName, audiences: Audience })];
    }),
  );

  const targetOf = ({ stack, logicalId, properties }: Assembly['routes'][number]): RouteTarget => {
    const place = `${stack}/${logicalId}`;
    const integration = integrations.find((each) => properties.Target === `integrations/${each.logicalId}`);
    if (!integration) throw new UnsupportedTemplate(`${place}: no integration ${properties.Target}`);
    const verify = verifiers.get(properties.AuthorizerId ?? '');
    if (properties.AuthorizationType === 'JWT' && !verify)
      throw new UnsupportedTemplate(`${place}: no authorizer ${properties.AuthorizerId}`);
    return {
      function: functionOf(functionArnIn(integration.properties.IntegrationUri), place),
      timeoutMs: integration.properties.TimeoutInMillis,
      verify: properties.AuthorizationType === 'JWT' ? verify : undefined,
      scopes: properties.AuthorizationScopes,
    };
  };
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = stages[0]?.properties.DefaultRouteSettings ?? {};
  return {
    id: api.logicalId,
    cors: api.properties.CorsConfiguration,
    routes: new RouteTable(routes.map((route) => ({ routeKey: route.properties.RouteKey, target: targetOf(route) }))),
    mayPass: tokenBucket(ThrottlingRateLimit, ThrottlingBurstLimit, startMs),
  };
}

/** An integration names its function bare, or inside the path that API Gateway calls it by. */
const functionArnIn = (uri: string): string => unqualified(/functions\/(arn:.+)\/invocations$/.exec(uri)?.[1] ?? uri);
