import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { callsMax, costMax, depthMax, tokensMax } from '../../../functions/graphql/bounds.model.ts';
import { type AnyHandle, failures, invalid, me, order, served } from './run.harness.ts';

describe('what a request may ask for', () => {
  const quiet = async (query: string, variables?: Record<string, unknown>) => {
    let calls = 0;
    const count: AnyHandle = async () => {
      calls += 1;
      return { body: { items: [], nextCursor: null } };
    };
    const whoAmI: AnyHandle = (request) => {
      calls += 1;
      return me(request);
    };
    const send = served({ listOrders: count, listProducts: count, listSales: count, readMe: whoAmI });
    const { status, graphql } = await send({ query, ...(variables && { variables }) });
    expect(status).toBe(200);
    return { graphql, calls };
  };
  const expectRefusal = async (query: string, says: RegExp, variables?: Record<string, unknown>) => {
    const { graphql, calls } = await quiet(query, variables);
    expect(graphql).not.toHaveProperty('data');
    expect(failures(graphql)).toEqual([invalid]);
    expect(graphql.errors?.[0]?.message).toMatch(says);
    expect(calls).toBe(0);
  };

  it('includes the whole schema, as tools ask for it', async () => {
    for (const options of [
      {},
      { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true },
    ]) {
      const { graphql } = await quiet(getIntrospectionQuery(options));
      expect(graphql.errors).toBeUndefined();
      expect(graphql.data).toHaveProperty('__schema');
    }
  });

  it('includes every list with all that its items have, at its longest', async () => {
    const order =
      'orderId saleId buyerId status displayStatus failure version items { sku quantity units priceMinor } totalMinor currency holdExpiresAt payment { method state } tickets { sku unit code } createdAt updatedAt';
    const sale =
      'saleId name state serverTime opensAt closesAt perBuyerLimit holdSeconds strategy items { sku name priceMinor currency total available seated }';
    const product = 'sku name description priceMinor currency imageUrl createdAt updatedAt';
    for (const [list, fields] of [
      ['orders', order],
      ['sales', sale],
      ['products', product],
    ])
      expect((await quiet(`{ ${list}(limit: 100) { items { ${fields} } nextCursor } }`)).graphql, list).not.toHaveProperty('errors');
  });

  it(`ends at ${tokensMax} tokens`, async () => {
    const names = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: userId`).join(' ');
    await expectRefusal(`{ me { ${names(tokensMax / 3)} } }`, /tokens/);
    expect((await quiet(`{ me { ${names(tokensMax / 3 - 5)} } }`)).graphql).toHaveProperty('data');
  });

  it(`ends ${depthMax} fields deep, also in introspection and by fragments`, async () => {
    const deep = (levels: number) =>
      `{ __type(name: "Order") { fields { type { ${'ofType { '.repeat(levels)} name ${'} '.repeat(levels)} } } } }`;
    expect((await quiet(deep(depthMax - 4))).graphql).toHaveProperty('data');
    await expectRefusal(deep(depthMax - 3), /deep/);
    await expectRefusal(`{ ${'a { '.repeat(100)} b ${'} '.repeat(100)} }`, /deep/);
    const half = depthMax / 2 + 1;
    const fragment = `fragment F on __Type { ${'ofType { '.repeat(half)} name ${'} '.repeat(half)} }`;
    await expectRefusal(`{ __type(name: "Order") { ${'ofType { '.repeat(half)} ...F ${'} '.repeat(half)} } } ${fragment}`, /deep/);
  });

  it(`ends at ${callsMax.query} queries and ${callsMax.mutation} mutations, whatever they are called`, async () => {
    const names = (count: number, field: string, prefix = 'a') =>
      Array.from({ length: count }, (_, n) => `${prefix}${n}: ${field}`).join(' ');
    expect((await quiet(`{ ${names(callsMax.query, 'me { userId }')} __typename }`)).calls).toBe(callsMax.query);
    await expectRefusal(`{ ${names(callsMax.query + 1, 'me { userId }')} }`, /at once/);
    const spread = `{ ...F ... on Query { ${names(6, 'me { userId }')} } }`;
    await expectRefusal(`${spread} fragment F on Query { ${names(callsMax.query - 5, 'me { userId }', 'b')} }`, /at once/);
    await expectRefusal(`mutation { ${names(callsMax.mutation + 1, `cancelOrder(orderId: "${order.orderId}") { status }`)} }`, /at once/);
  });

  it(`ends at an answer of ${costMax} points, by what lists may hold and not by what they do`, async () => {
    const descriptions = Array.from({ length: 20 }, (_, n) => `d${n}: description`).join(' ');
    await expectRefusal(`{ products(limit: 100) { items { ${descriptions} } } }`, /points/);
    expect((await quiet(`{ products(limit: 20) { items { ${descriptions} } } }`)).graphql).toHaveProperty('data');
    expect((await quiet(`{ products { items { ${descriptions} } } }`)).graphql).toHaveProperty('data');
    const byVariable = `query ($n: Int) { products(limit: $n) { items { ${descriptions} } } }`;
    await expectRefusal(byVariable, /points/, { n: 100 });
    // What is not known, or is no length, counts as the longest.
    await expectRefusal(byVariable, /points/);
    await expectRefusal(byVariable, /points/, { n: 1e9 });
    expect((await quiet(byVariable, { n: 3 })).graphql).toHaveProperty('data');
    await expectRefusal(
      `{ a: sales(limit: 100) { ...S } b: sales(limit: 100) { ...S } } fragment S on SalePage { items { items { sku name priceMinor currency total available } } }`,
      /points/,
    );
    await expectRefusal(
      `{ __schema { types { fields { type { fields { ${Array.from({ length: 90 }, (_, n) => `n${n}: name`).join(' ')} } } } } } }`,
      /points/,
    );
  });

  it('is counted without being walked through, where fragments multiply', async () => {
    const fragments = Array.from({ length: 60 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`).join('\n');
    await expectRefusal(`{ ...F0 } ${fragments} fragment F60 on Query { me { userId } }`, /at once/);
    await expectRefusal(`{ ...F0 } ${fragments} fragment F60 on Query { __typename }`, /points/);
  });
});
