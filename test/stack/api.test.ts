import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../functions/api/routes.ts';
import { type Route, routeKeyOf } from '../../functions/shared/route.ts';
import { type Properties, type Resource, type Synthesised, synthesised, target } from './synthesised.ts';

let stacks: Synthesised;
let written: Map<string, Resource>;
beforeAll(() => {
  stacks = synthesised();
  written = new Map(stacks.of('AWS::ApiGatewayV2::Route').map((route) => [route.properties.RouteKey, route]));
});
afterAll(() => stacks?.remove());

const contract: readonly Route[] = routes;

/** The path of the function that a route leads to. */
function servedBy(key: string): string | undefined {
  const [, [, integrationRef]] = written.get(key)?.properties.Target['Fn::Join'] ?? [undefined, []];
  const integration = stacks.of('AWS::ApiGatewayV2::Integration').find(({ id }) => id === integrationRef?.Ref);
  const called = integration && target(integration.properties.IntegrationUri);
  // Of the reserve function an alias is called, which can have environments ready.
  const alias = stacks.of('AWS::Lambda::Alias').find(({ id }) => id === called);
  const lambda = stacks.of('AWS::Lambda::Function').find(({ id }) => id === (alias ? target(alias.properties.FunctionName) : called));
  return lambda?.path.replace(/\/Function$/, '');
}

describe('routes', () => {
  it('has every route of the contract and the fallback, HEAD of the page that answers it by itself, and no other', () => {
    const head = contract.filter(({ servedBy: name }) => name === 'docs').map(({ path }) => `HEAD ${path}`);
    expect([...written.keys()].sort()).toEqual([...contract.map(routeKeyOf), ...head, '$default'].sort());
  });

  it('has no route that belongs to the embedded runtime', () => {
    expect(JSON.stringify(stacks.application.toJSON())).not.toContain('/local/');
  });

  it('asks for a token exactly where the contract does', () => {
    for (const route of contract) {
      const { AuthorizationType, AuthorizerId } = written.get(routeKeyOf(route))?.properties ?? {};
      const isPublic = route.access === 'public';
      expect(AuthorizationType, routeKeyOf(route)).toBe(isPublic ? 'NONE' : 'JWT');
      expect(AuthorizerId !== undefined, routeKeyOf(route)).toBe(!isPublic);
    }
    expect(contract.some(({ access }) => access === 'public') && contract.some(({ access }) => access !== 'public')).toBe(true);
  });

  it('lets anybody reach the fallback, which answers 404 and 405', () => {
    expect(written.get('$default')?.properties.AuthorizationType).toBe('NONE');
    expect(servedBy('$default')).toBe('Api/Functions');
  });

  it('sends each route to the function that serves it', () => {
    const functionOf = {
      reserve: 'Orders/Reserve',
      api: 'Api/Functions',
      audit: 'Audit/Sale',
      docs: 'Docs/Page',
      graphql: 'Graphql/Api',
      cart: 'Cart/Items',
      webhook: 'Payments/Webhook',
      reconciliation: 'Reconciliation/Requests',
      operations: 'DeadLetters/Operations',
    };
    for (const route of contract) expect(servedBy(routeKeyOf(route)), routeKeyOf(route)).toBe(functionOf[route.servedBy]);
    expect(servedBy('POST /v1/sales/{saleId}/orders')).toBe('Orders/Reserve');
  });

  it('lets the gateway, and this one alone, call the functions behind it', () => {
    const [api] = stacks.of('AWS::ApiGatewayV2::Api');
    const served = new Set(contract.map(({ servedBy: name }) => name));
    const permissions = stacks.of('AWS::Lambda::Permission').map(({ properties }) => properties);
    expect(new Set(permissions.map(({ FunctionName }) => target(FunctionName))).size).toBe(served.size);
    for (const { Principal, SourceArn } of permissions) {
      expect(Principal).toBe('apigateway.amazonaws.com');
      expect(SourceArn['Fn::Join'][1]).toContainEqual({ Ref: api?.id });
    }
    // `$default` has an ARN of two parts; three stars do not match it.
    const patterns = permissions.map(({ SourceArn }) => SourceArn['Fn::Join'][1].at(-1));
    expect(patterns.toSorted()).toEqual(['/*/*', ...[...served].map(() => '/*/*/*')]);
  });
});

describe('tokens', () => {
  it('takes issuer and audience from parameters, and makes a user pool only when none is given', () => {
    const [authorizer] = stacks.of('AWS::ApiGatewayV2::Authorizer');
    const { Issuer, Audience } = authorizer?.properties.JwtConfiguration ?? {};
    const given = Issuer['Fn::If'][0];
    expect(Issuer['Fn::If'][1]).toEqual({ Ref: 'Issuer' });
    expect(Audience[0]['Fn::If'].slice(0, 2)).toEqual([given, { Ref: 'Audience' }]);
    expect(Audience[1]['Fn::If'].slice(0, 2)).toEqual([given, { Ref: 'AWS::NoValue' }]);

    const { Resources, Conditions } = stacks.application.toJSON();
    expect(Conditions[given]).toEqual({ 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Issuer' }, ''] }] });
    const cognito = Object.values<Properties>(Resources).filter(({ Type }) => Type.startsWith('AWS::Cognito::'));
    expect(cognito.length).toBeGreaterThanOrEqual(4);
    for (const { Type, Condition } of cognito) expect(Conditions[Condition], Type).toEqual({ 'Fn::Equals': [{ Ref: 'Issuer' }, ''] });
  });

  it('lets no buyer’s client ask for the operators’ scope', () => {
    const clients = stacks.of('AWS::Cognito::UserPoolClient').map(({ properties }) => properties);
    const operating = clients.filter(({ AllowedOAuthScopes }) => JSON.stringify(AllowedOAuthScopes).includes('sale:operate'));
    expect(operating).toMatchObject([{ AllowedOAuthFlows: ['client_credentials'], GenerateSecret: true }]);
    const buying = clients.filter(({ AllowedOAuthScopes }) => JSON.stringify(AllowedOAuthScopes).includes('sale:buy'));
    expect(buying).toMatchObject([{ AllowedOAuthFlows: ['code'] }]);
  });
});

describe('the endpoint', () => {
  it('names its address', () => {
    expect(stacks.application.findOutputs('Endpoint')).toMatchObject({ Endpoint: { Value: expect.anything() } });
  });

  it('allows the origins that are configured, none by default, and shows them the headers of the contract', () => {
    const [api] = stacks.of('AWS::ApiGatewayV2::Api');
    const [condition, cors, otherwise] = api?.properties.CorsConfiguration['Fn::If'] ?? [];
    expect(otherwise).toEqual({ Ref: 'AWS::NoValue' });
    expect(stacks.application.toJSON().Conditions[condition]).toEqual({
      'Fn::Not': [{ 'Fn::Equals': [{ 'Fn::Join': ['', { Ref: 'AllowedOrigins' }] }, ''] }],
    });
    expect(stacks.application.findParameters('AllowedOrigins')).toMatchObject({
      AllowedOrigins: { Default: '', Type: 'CommaDelimitedList' },
    });
    expect(cors).toMatchObject({
      AllowOrigins: { Ref: 'AllowedOrigins' },
      AllowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-none-match'],
      ExposeHeaders: ['etag', 'idempotency-replayed', 'location', 'retry-after', 'x-request-id'],
    });
    expect(cors.AllowMethods).toEqual(expect.arrayContaining([...new Set(contract.map(({ method }) => method))]));
  });

  it('bounds the rate of calls and logs each one, without its token', () => {
    const [stage] = stacks.of('AWS::ApiGatewayV2::Stage');
    expect(stage?.properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 10_000, ThrottlingBurstLimit: 5_000 },
    });
    const format = JSON.parse(stage?.properties.AccessLogSettings.Format);
    expect(format.requestId).toBe('$context.requestId');
    expect(JSON.stringify(format)).not.toMatch(/header|authorization/i);
  });
});
