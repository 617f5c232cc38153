import { buildSchema, GraphQLError, Kind, type OperationDefinitionNode, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../functions/graphql/errors.model.ts';
import { callsOf, costOf, DepthRule, keyRule } from '../../../functions/graphql/limits.model.ts';
import { Problem } from '../../../functions/shared/problems.ts';

const schema = buildSchema(`
  interface Named { name: String }
  type Leaf implements Named { name: String, next: Leaf, all(limit: Int): [Leaf] }
  type Query { leaf: Leaf, other: Leaf, named: Named, list(limit: Int): [Leaf], plain: [Leaf] }
  type Mutation { placeOrder(idempotencyKey: String): Leaf, rename: Leaf }
`);
const documentOf = (text: string) => parse(text);
function partsOf(text: string) {
  const { definitions } = documentOf(text);
  const operation = definitions.find((each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error('no operation');
  const fragmentOf = (name: string) =>
    definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name ? [each] : []))[0];
  return { operation, fragmentOf };
}
const costed = (text: string, variables: Readonly<Record<string, unknown>> = {}) => {
  const { operation, fragmentOf } = partsOf(text);
  return costOf(operation, { schema, fragmentOf, variables });
};
const called = (text: string) => {
  const { operation, fragmentOf } = partsOf(text);
  return callsOf(operation, fragmentOf);
};
const nested = (depth: number, end = 'name') => `${'next { '.repeat(depth)}${end}${' }'.repeat(depth)}`;

describe('the depth of a document', () => {
  const depthErrors = (text: string) => validate(schema, documentOf(text), [DepthRule]).map(({ message }) => message);

  it('is bounded, counting fields and not fragments', () => {
    expect(depthErrors(`{ leaf { ${nested(18)} } }`)).toStrictEqual([]);
    expect(depthErrors(`{ leaf { ${nested(19)} } }`)).toStrictEqual(['This goes 21 fields deep; at most 20 are answered.']);
    expect(depthErrors(`{ leaf { ... { ${nested(18)} } } }`)).toStrictEqual([]);
    expect(depthErrors(`{ leaf { ... { ${nested(19)} } } }`)).toHaveLength(1);
    expect(depthErrors(`{ leaf { ...deep } } fragment deep on Leaf { ${nested(18)} }`)).toStrictEqual([]);
    expect(depthErrors(`{ leaf { ...deep } } fragment deep on Leaf { ${nested(19)} }`)).toHaveLength(1);
    expect(depthErrors(`{ leaf { name ${nested(19)} name } }`)).toHaveLength(1);
  });

  it('ends in fragments that contain themselves, and in those that there are not', () => {
    expect(depthErrors('{ leaf { ...round } } fragment round on Leaf { name next { ...round } }')).toStrictEqual([]);
    expect(depthErrors('{ leaf { ...nowhere } }')).toStrictEqual([]);
  });

  it('is each operation’s own', () => {
    expect(depthErrors(`query a { leaf { name } } query b { leaf { ${nested(19)} } }`)).toHaveLength(1);
  });
});

describe('the key of an order', () => {
  const codes = (text: string, request: { operationName?: string; variables?: Record<string, unknown> } = {}) =>
    validate(schema, documentOf(text), [keyRule(request)]).map(({ extensions }) => extensions.code);
  const missing = ['IDEMPOTENCY_KEY_REQUIRED'];
  const by = 'mutation m($key: String) { placeOrder(idempotencyKey: $key) { name } }';

  it('is given as a value, and not left out or null', () => {
    expect(codes('mutation { placeOrder(idempotencyKey: "k") { name } }')).toStrictEqual([]);
    expect(codes('mutation { placeOrder { name } }')).toStrictEqual(missing);
    expect(codes('mutation { placeOrder(idempotencyKey: null) { name } }')).toStrictEqual(missing);
    expect(codes('mutation { rename { name } }')).toStrictEqual([]);
  });

  it('is given as a variable that has a value, or a default', () => {
    expect(codes(by, { variables: { key: 'k' } })).toStrictEqual([]);
    expect(codes(by, { variables: { key: null } })).toStrictEqual(missing);
    expect(codes(by, { variables: {} })).toStrictEqual(missing);
    expect(codes(by)).toStrictEqual(missing);
    const defaulted = by.replace('String)', 'String = "d")');
    expect(codes(defaulted, { variables: {} })).toStrictEqual([]);
    expect(codes(defaulted, { variables: { key: null } })).toStrictEqual(missing);
  });

  it('is not looked for in what every object has', () => {
    expect(codes(by.replaceAll('key)', 'toString)').replace('$key:', '$toString:'), { variables: {} })).toStrictEqual(missing);
  });

  it('is none of this rule’s business where the variable is not declared, or of another operation', () => {
    expect(codes('mutation m { placeOrder(idempotencyKey: $key) { name } }')).toStrictEqual([]);
    const two = `${by} mutation other { rename { name } }`;
    expect(codes(two, { operationName: 'm', variables: {} })).toStrictEqual(missing);
    expect(codes(two, { operationName: 'other', variables: {} })).toStrictEqual([]);
  });
});

describe('the operations that a document asks for', () => {
  it('are counted by their places, through fragments, without what is about the schema', () => {
    expect(called('{ leaf { name next { name } } other { name } }')).toBe(2);
    expect(called('{ a: leaf { name } b: leaf { name } __typename __schema { types { name } } }')).toBe(2);
    expect(called('{ ... { leaf { name } other { name } } ...more } fragment more on Query { leaf { name } }')).toBe(3);
    expect(called('{ ...more ...more } fragment more on Query { leaf { name } }')).toBe(2);
    expect(called('{ ...nowhere }')).toBe(0);
  });
});

describe('the cost of an answer', () => {
  it('is a point for each field, times the lengths of the pages that it stands in', () => {
    expect(costed('{ leaf { name } }')).toBe(2);
    expect(costed('{ leaf { name next { name } } other { name } }')).toBe(6);
    expect(costed('{ list(limit: 7) { name } }')).toBe(14);
    expect(costed('{ list { name } }')).toBe(40);
    expect(costed('{ list(limit: null) { name } }')).toBe(40);
    expect(costed('{ leaf { all(limit: 3) { all(limit: 5) { name } } } }')).toBe(1 + 3 * (1 + 5 * 2));
    expect(costed('{ plain { name } }')).toBe(2);
  });

  it('counts a page by its variable, and what is no length as the longest page', () => {
    const text = 'query q($n: Int) { list(limit: $n) { name } }';
    expect(costed(text, { n: 1 })).toBe(2);
    expect(costed(text, { n: 100 })).toBe(200);
    for (const n of [0, -1, 101, '5', undefined]) expect(costed(text, { n })).toBe(200);
    expect(costed('{ list(limit: 0) { name } }')).toBe(200);
    expect(costed('{ list(limit: "x") { name } }')).toBe(200);
  });

  it('is the same through fragments, each counted where it stands', () => {
    expect(costed('{ leaf { ...f } other { ...f } } fragment f on Leaf { name next { name } }')).toBe(2 * 4);
    expect(costed('{ named { ... on Leaf { name next { name } } } }')).toBe(4);
    expect(costed('{ leaf { ... { name } } }')).toBe(2);
    expect(costed('{ named { ... on Nothing { name } } }')).toBe(1);
    expect(costed('{ leaf { ...nowhere } }')).toBe(1);
    expect(costed('{ leaf { ...f } } fragment f on Nothing { name }')).toBe(1);
  });

  it('takes no account of what the schema does not have', () => {
    expect(costed('{ nothing { name } leaf { name nothing } }')).toBe(2);
    expect(costed('subscription { leaf { name } }')).toBe(0);
  });

  it('takes a field’s own weight and length where they are known', () => {
    const weighed = buildSchema('type Leaf { name: String } type Query { leaf: Leaf }');
    const field = weighed.getQueryType()?.getFields().leaf;
    if (!field) throw new Error('no field');
    field.extensions = { cost: { weight: 5, times: 3 } };
    const { operation, fragmentOf } = partsOf('{ leaf { name } }');
    expect(costOf(operation, { schema: weighed, fragmentOf, variables: {} })).toBe(3 * (5 + 1));
  });

  it('knows how long the lists of introspection are', () => {
    const types = Object.keys(schema.getTypeMap()).length;
    expect(costed('{ __schema { types { name } } }')).toBe(1 + types * 2);
    expect(costed('{ __schema { types { fields { args { name } } } } }')).toBe(1 + types * (1 + 8 * (1 + 2 * 2)));
    expect(costed('{ __schema { directives { name } } }')).toBe(1 + 6 * 2);
    expect(costed('{ __type(name: "Leaf") { enumValues { name } inputFields { name } interfaces { name } } }')).toBe(1 + 2 * 2 + 2 * 2 + 2);
    expect(costed('{ __schema { queryType { name } } }')).toBe(3);
  });
});

describe('an error as it is answered', () => {
  const hide = () => new Problem('TRY_AGAIN', 'hidden');
  const node = partsOf('{ leaf { name } }').operation;

  it('is the problem of the operation that refused', () => {
    const problem = new Problem('SOLD_OUT', 'no more', { sku: 'tee', available: 0 });
    const error = new GraphQLError('x', { originalError: problem, path: ['leaf', 0], nodes: [node] });
    expect(failureOf(error, hide)).toStrictEqual({
      message: 'no more',
      locations: [{ line: 1, column: 1 }],
      path: ['leaf', 0],
      extensions: { sku: 'tee', available: 0, code: 'SOLD_OUT', status: 409, retryable: false },
    });
  });

  it('is hidden when it is ours', () => {
    expect(failureOf(new GraphQLError('x', { originalError: new Error('secret') }), hide)).toStrictEqual({
      message: 'hidden',
      extensions: { code: 'TRY_AGAIN', status: 503, retryable: true, retryAfterSeconds: 1 },
    });
  });

  it('is the request’s fault when GraphQL itself complains, with the contract’s code for a missing key', () => {
    const inner = new GraphQLError('inner');
    for (const error of [new GraphQLError('wrong'), new GraphQLError('wrong', { originalError: inner })])
      expect(failureOf(error, hide)).toStrictEqual({
        message: 'wrong',
        extensions: { code: 'INVALID_REQUEST', status: 400, retryable: false },
      });
    const keyless = new GraphQLError('give one', { extensions: { code: 'IDEMPOTENCY_KEY_REQUIRED' } });
    expect(failureOf(keyless, hide).extensions).toMatchObject({ code: 'IDEMPOTENCY_KEY_REQUIRED', status: 400 });
  });
});
