import { execute, type GraphQLObjectType, GraphQLScalarType, getNamedType, parse, parseConstValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { schema } from '../../../functions/graphql/schema.model.ts';
import { MinorUnits, typesFrom, UnknownShape } from '../../../functions/graphql/types.model.ts';

/** What a document asks of the operations of the HTTP contract, and what else it tells of. */
async function askedBy(text: string, answer: unknown = {}, variableValues: Record<string, unknown> = {}) {
  const asked: unknown[] = [];
  const told: unknown[] = [];
  const result = await execute({
    schema,
    document: parse(text),
    variableValues,
    contextValue: {
      ask: async (operation: string, what: unknown) => {
        asked.push([operation, what]);
        return { body: answer, replayed: true };
      },
      mayBegin: () => told.push('may begin'),
      onKeyed: (...keyed: unknown[]) => told.push(keyed),
    },
  });
  return { asked, told, data: JSON.parse(JSON.stringify(result.data ?? null)), errors: result.errors?.map(({ message }) => message) };
}

describe('a field', () => {
  it.each([
    ['{ products(limit: 5, cursor: "c") { nextCursor } }', 'listProducts', { query: { limit: 5, cursor: 'c' } }],
    ['{ products { nextCursor } }', 'listProducts', { query: {} }],
    ['{ sales(limit: null) { nextCursor } }', 'listSales', { query: {} }],
    ['{ product(sku: "tee") { sku } }', 'readProduct', { params: { sku: 'tee' } }],
    ['{ sale(saleId: "s") { saleId } }', 'readSale', { params: { saleId: 's' } }],
    ['{ order(orderId: "o") { orderId } }', 'readOrder', { params: { orderId: 'o' } }],
    ['{ orders(saleId: "s", status: RESERVED) { nextCursor } }', 'listOrders', { query: { saleId: 's', status: 'RESERVED' } }],
    ['{ orders(status: "RESERVED", limit: 1) { nextCursor } }', 'listOrders', { query: { status: 'RESERVED', limit: 1 } }],
    ['{ me { userId } }', 'readMe', {}],
  ] as const)('asks the operation of its name for what it was given, without what is null: %s', async (text, operation, what) => {
    const { asked, told } = await askedBy(text);
    expect(asked).toStrictEqual([[operation, what]]);
    expect(told).toStrictEqual([]);
  });

  it('shows what the operation answered', async () => {
    expect((await askedBy('{ sale(saleId: "s") { saleId name } }', { saleId: 's', name: 'A sale' })).data).toStrictEqual({
      sale: { saleId: 's', name: 'A sale' },
    });
  });

  it('takes no word that is written as something else', async () => {
    const { asked, errors } = await askedBy('{ orders(status: 5) { nextCursor } }');
    expect(asked).toStrictEqual([]);
    expect(errors).toHaveLength(1);
    const byVariable = await askedBy('query q($s: OrderStatus) { orders(status: $s) { nextCursor } }', {}, { s: 5 });
    expect(byVariable.asked).toStrictEqual([]);
    expect((await askedBy('query q($s: OrderStatus) { orders(status: $s) { nextCursor } }', {}, { s: 'EXPIRED' })).asked).toStrictEqual([
      ['listOrders', { query: { status: 'EXPIRED' } }],
    ]);
  });
});

describe('an order by GraphQL', () => {
  const order =
    'placeOrder(saleId: "s", idempotencyKey: "k", items: [{ sku: "tee", quantity: 1, seats: null }], payment: null) { orderId }';

  it('is placed under its key, with nothing that is null in its body, and says whether it was there before', async () => {
    const { asked, told, data } = await askedBy(`mutation { mine: ${order} }`, { orderId: 'o' });
    expect(asked).toStrictEqual([['placeOrder', { params: { saleId: 's' }, key: 'k', body: { items: [{ sku: 'tee', quantity: 1 }] } }]]);
    expect(told).toStrictEqual(['may begin', ['mine', true]]);
    expect(data).toStrictEqual({ mine: { orderId: 'o' } });
  });

  it('is cancelled by its id', async () => {
    const { asked, told, data } = await askedBy('mutation { cancelOrder(orderId: "o") { orderId } }', { orderId: 'o' });
    expect(asked).toStrictEqual([['cancelOrder', { params: { orderId: 'o' } }]]);
    expect(told).toStrictEqual(['may begin']);
    expect(data).toStrictEqual({ cancelOrder: { orderId: 'o' } });
  });
});

describe('the schema', () => {
  it('calls what an order has by their one name, and knows how long its lists may be', () => {
    expect(schema.getType('OrderTicket')).toBeDefined();
    const timesOf = (type: string, field: string) =>
      (schema.getType(type) as GraphQLObjectType | undefined)?.getFields()[field]?.extensions.cost as { times: number } | undefined;
    expect([timesOf('OrderLine', 'units')?.times, timesOf('OrderPage', 'items')?.times]).toStrictEqual([2, 1]);
  });
});

describe('a type made of a schema', () => {
  const types = () => typesFrom({ names: { 'Thing.second': 'Named' }, lengths: { 'Thing.list': 7 } });
  const Thing = z
    .strictObject({
      first: z.enum(['a', 'b']).meta({ description: 'Said.' }),
      second: z.enum(['c']),
      list: z.array(z.string()),
      more: z.array(z.int()).optional(),
      text: z.string().max(250),
      short: z.string(),
      priceMinor: z.int(),
      count: z.int().nullable(),
      sure: z.boolean().default(true),
    })
    .meta({ id: 'Thing', description: 'A thing.' });

  it('says of each member what it is, whether it may be absent, and what it may weigh', () => {
    const object: GraphQLObjectType = types().object(Thing);
    expect([object.name, object.description]).toStrictEqual(['Thing', 'A thing.']);
    const fields = Object.entries(object.getFields()).map(([name, { type, extensions }]) => [name, String(type), extensions.cost]);
    expect(fields).toStrictEqual([
      ['first', 'ThingFirst!', { weight: 1, times: 1 }],
      ['second', 'Named!', { weight: 1, times: 1 }],
      ['list', '[String!]!', { weight: 1, times: 7 }],
      ['more', '[Int!]', { weight: 1, times: 20 }],
      ['text', 'String!', { weight: 3, times: 1 }],
      ['short', 'String!', { weight: 1, times: 1 }],
      ['priceMinor', 'MinorUnits!', { weight: 1, times: 1 }],
      ['count', 'Int', { weight: 1, times: 1 }],
      ['sure', 'Boolean!', { weight: 1, times: 1 }],
    ]);
    expect(object.getFields().first?.description).toBe('Said.');
    expect(object.getFields().second?.description).toBeUndefined();
  });

  it('is one type for one name, however often it is met', () => {
    const made = types();
    const object = made.object(Thing);
    expect(made.object(Thing)).toBe(object);
    expect(made.words('Named')).toBe(getNamedType(object.getFields().second?.type));
    expect(() => made.words('Thing')).toThrow(UnknownShape);
    expect(() => made.words('Nothing')).toThrow(UnknownShape);
    expect(made.object(z.strictObject({ a: z.string() }), 'Bare').description).toBeUndefined();
  });

  it('is not made of what GraphQL has no word for', () => {
    expect(() =>
      types()
        .object(z.strictObject({ when: z.date() }), 'Odd')
        .getFields(),
    ).toThrow(UnknownShape);
  });

  it('lists its words, of which there are few, and takes them with quotes or without', () => {
    const made = types();
    made.object(Thing).getFields();
    const words = made.words('ThingFirst');
    expect(words).toBeInstanceOf(GraphQLScalarType);
    expect(words.description).toBe('Said. One of "a", "b".');
    expect(made.words('Named').description).toBe('One of "c".');
    expect([words.coerceInputLiteral?.(parseConstValue('a')), words.coerceInputLiteral?.(parseConstValue('"b"'))]).toStrictEqual([
      'a',
      'b',
    ]);
    expect(() => words.coerceInputLiteral?.(parseConstValue('5'))).toThrow(TypeError);
    expect(words.coerceInputValue('a')).toBe('a');
    expect(() => words.coerceInputValue(5)).toThrow(TypeError);
  });

  it('says nothing of words that are many', () => {
    const made = typesFrom({ names: {}, lengths: {} });
    const many = (count: number) => z.enum(Array.from({ length: count }, (_, index) => `w${index}`) as [string, ...string[]]);
    made.object(z.strictObject({ many: many(21), few: many(20) }), 'Listed').getFields();
    expect(made.words('ListedMany').description).toBe('');
    expect(made.words('ListedFew').description).toContain('"w19"');
  });
});

describe('an amount of money', () => {
  it('is shown as a whole number, exact up to its bound, and as nothing else', () => {
    for (const amount of [0, 5, 2 ** 40, Number.MAX_SAFE_INTEGER]) expect(MinorUnits.coerceOutputValue(amount)).toBe(amount);
    for (const wrong of [0.5, '5', 2 ** 53, Number.NaN, null]) expect(() => MinorUnits.coerceOutputValue(wrong)).toThrow(TypeError);
  });
});
