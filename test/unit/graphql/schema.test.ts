import { type GraphQLField, getIntrospectionQuery, getNamedType, isListType, isNonNullType, isObjectType, isScalarType } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MeAnswer } from '../../../functions/accounts/user.schemas.ts';
import { routes } from '../../../functions/api/routes.ts';
import { ProductAnswer, ProductPage } from '../../../functions/catalogue/product.schemas.ts';
import { operations } from '../../../functions/graphql/ask.ts';
import { schema } from '../../../functions/graphql/schema.model.ts';
import { MinorUnits, typesFrom, UnknownShape } from '../../../functions/graphql/types.model.ts';
import { OrderAnswer, PlaceOrder } from '../../../functions/orders/order.schemas.ts';
import { OrderPage } from '../../../functions/orders/order-list.schemas.ts';
import { SaleAnswer, SalePage } from '../../../functions/sales/sale.schemas.ts';

interface Json {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly anyOf?: readonly Json[];
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Json>>;
}

/** The JSON contract as JSON Schema says it: another reader of the same schemas than the one that makes the GraphQL types. */
function contractOf(answer: z.ZodType) {
  const root = z.toJSONSchema(answer, { unrepresentable: 'any', io: 'output' }) as Json;
  const deref = (json: Json): Json => {
    if (json.$ref) return deref(root.$defs?.[json.$ref.split('/').at(-1) ?? ''] ?? {});
    const present = json.anyOf?.filter(({ type }) => type !== 'null');
    if (present?.length === 1 && present[0]) return deref(present[0]);
    const [type] = Array.isArray(json.type) ? json.type.filter((each) => each !== 'null') : [json.type];
    return type === json.type ? json : { ...json, type };
  };
  return { root: deref(root), deref };
}

const isNullable = ({ anyOf, type }: Json): boolean => Boolean(type?.includes('null') || anyOf?.some((each) => each.type === 'null'));

/** What differs between a JSON object and a GraphQL type, place by place. */
function differences(json: Json, type: unknown, deref: (json: Json) => Json, place: string): string[] {
  if (!isObjectType(type)) return [`${place} is no object type`];
  const fields: Record<string, GraphQLField<unknown, unknown>> = type.getFields();
  const members = json.properties ?? {};
  const missing = Object.keys(members).filter((name) => !fields[name]);
  const surplus = Object.keys(fields).filter((name) => !members[name]);
  const below = Object.entries(members).flatMap(([name, member]) => {
    const field = fields[name];
    return field ? memberDifferences(member, field, deref, `${place}.${name}`, json.required?.includes(name) ?? false) : [];
  });
  return [...missing.map((name) => `${place}.${name} is missing`), ...surplus.map((name) => `${place}.${name} is only here`), ...below];
}

function memberDifferences(
  json: Json,
  field: GraphQLField<unknown, unknown>,
  deref: (json: Json) => Json,
  place: string,
  isRequired: boolean,
): string[] {
  const found: string[] = [];
  if (isNonNullType(field.type) !== (isRequired && !isNullable(json))) found.push(`${place}: one may be absent and the other not`);
  const present = deref(json);
  const nullable = isNonNullType(field.type) ? field.type.ofType : field.type;
  if (isListType(nullable) !== (present.type === 'array')) found.push(`${place}: one is a list and the other not`);
  const inner = present.type === 'array' ? deref(present.items ?? {}) : present;
  const named = getNamedType(field.type);
  if (inner.type === 'object') return [...found, ...differences(inner, named, deref, place)];
  const expected: Record<string, readonly string[]> = {
    string: inner.enum ? [named.name] : ['String'],
    integer: ['Int', 'MinorUnits'],
    boolean: ['Boolean'],
  };
  if (!isScalarType(named) || !expected[String(inner.type)]?.includes(named.name)) found.push(`${place}: ${inner.type} is ${named.name}`);
  if (place.endsWith('Minor') && named !== MinorUnits) found.push(`${place} is money`);
  for (const word of inner.enum?.length === new Set(inner.enum).size && (inner.enum?.length ?? 0) <= 20 ? (inner.enum ?? []) : [])
    if (!named.description?.includes(`"${word}"`)) found.push(`${place} does not tell of ${word}`);
  return found;
}

describe('the GraphQL schema', () => {
  const answers: [string, z.ZodType][] = [
    ['Order', OrderAnswer],
    ['Sale', SaleAnswer],
    ['Product', ProductAnswer],
    ['Me', MeAnswer],
    ['OrderPage', OrderPage],
    ['SalePage', SalePage],
    ['ProductPage', ProductPage],
  ];

  it.each(answers)('has of %s every field that the JSON contract has, and no other, and each as there', (name, answer) => {
    const { root, deref } = contractOf(answer);
    expect(differences(root, schema.getType(name), deref, name)).toEqual([]);
  });

  it('takes the lines of an order as the JSON contract does', () => {
    const text = JSON.stringify(z.toJSONSchema(PlaceOrder, { unrepresentable: 'any', io: 'input' }));
    const line = schema.getType('OrderLineInput');
    const payment = schema.getType('PaymentInput');
    if (!(line && 'getFields' in line && payment && 'getFields' in payment)) throw new Error('no input types');
    expect(Object.keys(line.getFields())).toEqual(['sku', 'quantity', 'seats']);
    expect(Object.keys(payment.getFields())).toEqual(['method']);
    for (const member of ['sku', 'quantity', 'seats', 'method']) expect(text).toContain(`"${member}":{`);
  });

  it('offers what the contract names, under these names and with these arguments', () => {
    const signatures = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.values(type?.getFields() ?? {}).map(({ name, args }) => `${name}(${args.map((arg) => arg.name).join(', ')})`),
    );
    expect(signatures).toEqual([
      'products(limit, cursor)',
      'product(sku)',
      'sales(limit, cursor)',
      'sale(saleId)',
      'order(orderId)',
      'orders(saleId, status, limit, cursor)',
      'me()',
      'placeOrder(saleId, idempotencyKey, items, payment)',
      'cancelOrder(orderId)',
    ]);
    expect(schema.getSubscriptionType()).toBeUndefined();
  });

  it('asks only for operations that are routes', () => {
    const known = routes.map(({ operationId }) => operationId);
    for (const operation of operations) expect(known).toContain(operation);
  });

  it('has no circle: answers end, however a query is written', () => {
    const visit = (type: unknown, within: readonly string[]): void => {
      if (!isObjectType(type)) return;
      expect(within).not.toContain(type.name);
      for (const field of Object.values(type.getFields())) visit(getNamedType(field.type), [...within, type.name]);
    };
    visit(schema.getQueryType(), []);
    visit(schema.getMutationType(), []);
  });

  it('refuses to be made of something that it cannot show', () => {
    const types = typesFrom({ names: {}, lengths: {} });
    expect(() => types.object(z.object({ when: z.date() }), 'Odd')).toThrow(UnknownShape);
    expect(() => types.words('Nothing')).toThrow(UnknownShape);
  });

  it('carries amounts beyond 32 bits as whole numbers, and no others', () => {
    expect(MinorUnits.coerceOutputValue(20_000_000_000)).toBe(20_000_000_000);
    for (const wrong of [0.5, Number.NaN, 2 ** 53, '1', null]) expect(() => MinorUnits.coerceOutputValue(wrong)).toThrow();
  });

  it('is told by the query that tools send, which is small', () => {
    expect(getIntrospectionQuery().length).toBeLessThan(8 * 1024);
  });
});
