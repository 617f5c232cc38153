import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Properties, type Resource, roleOf, type Synthesised, statementsOf, synthesised } from './synthesised.ts';

let stacks: Synthesised;
let page: Resource;
beforeAll(() => {
  stacks = synthesised();
  const found = stacks.of('AWS::Lambda::Function').find(({ path }) => path === 'Docs/Page/Function');
  if (!found) throw new Error('nobody serves the page');
  page = found;
});
afterAll(() => stacks?.remove());

describe('the function behind /docs', () => {
  it('has no table, no secret and no way into the network: it may write logs and traces, and nothing else', () => {
    expect(page.properties.VpcConfig).toBeUndefined();
    expect(Object.keys(page.properties.Environment.Variables)).toEqual(['NODE_OPTIONS']);
    const actions = statementsOf(roleOf(page, stacks), stacks).flatMap((statement) => statement.actions);
    expect(actions.filter((action) => !/^(logs:(CreateLogStream|PutLogEvents)|xray:\w+)$/.test(action))).toEqual([]);
  });

  it('is asked by anybody, for the page and its files, by GET and HEAD', () => {
    const written = stacks
      .of('AWS::ApiGatewayV2::Route')
      .map(({ properties }) => properties)
      .filter(({ RouteKey }: Properties) => String(RouteKey).includes('/docs'));
    expect(written.map(({ RouteKey }) => RouteKey).sort()).toEqual(['GET /docs', 'GET /docs/{asset}', 'HEAD /docs', 'HEAD /docs/{asset}']);
    for (const { AuthorizationType } of written) expect(AuthorizationType).toBe('NONE');
  });
});
