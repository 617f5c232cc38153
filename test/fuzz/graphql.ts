import { randomUUID } from 'node:crypto';
import type { Random } from './random.ts';
import type { Part } from './scene.ts';

const orderFields = 'orderId saleId status version items { sku quantity units priceMinor } totalMinor payment { method state }';

/** A GraphQL request: a document that is valid, or that was one. Those that are spoiled only read. */
export function graphqlDocument(random: Random, { sales, orders }: Part): object {
  const sale = random.pick(sales);
  const orderId = orders[random.int(orders.length)]?.orderId ?? 'none';
  const sku = random.pick(sale.counted);
  const text = JSON.stringify;
  const reads = [
    { query: '{ products(limit: 2) { items { sku name priceMinor } nextCursor } }' },
    { query: `query A($sku: String!) { product(sku: $sku) { sku description } }`, variables: { sku }, operationName: 'A' },
    { query: `{ sale(saleId: ${text(sale.saleId)}) { saleId state items { sku available seated } } }` },
    { query: `query ($id: String!) { order(orderId: $id) { ${orderFields} } }`, variables: { id: orderId } },
    { query: `{ orders(limit: 3, saleId: ${text(sale.saleId)}) { items { ${orderFields} } nextCursor } me { userId balanceMinor } }` },
    { query: '{ __schema { types { name } } __typename }' },
  ];
  const writes = [
    {
      query:
        `mutation ($saleId: String!, $key: String!, $items: [OrderLineInput!]!) { placeOrder(saleId: $saleId, idempotencyKey: $key, items: $items) ` +
        `{ ${orderFields} } }`,
      variables: { saleId: sale.saleId, key: randomUUID(), items: [{ sku, quantity: 1 + random.int(3) }] },
    },
    { query: `mutation { cancelOrder(orderId: ${text(orderId)}) { ${orderFields} } }` },
  ];
  if (random.chance(0.25)) return random.pick(writes);
  const read = random.pick(reads);
  return random.chance(0.5) ? read : { ...read, query: spoiledDocument(read.query, random) };
}

/** The document with its tokens mixed up, or much too much of something. */
function spoiledDocument(query: string, random: Random): string {
  const tokens = query.match(/\w+|"[^"]*"|\S/g) ?? [];
  const at = random.int(tokens.length);
  return random.pick<() => string>([
    () => tokens.toSpliced(at, 1).join(' '),
    () => tokens.toSpliced(at, 0, tokens[at] ?? '').join(' '),
    () =>
      tokens
        .toSpliced(
          at,
          1,
          random.pick([
            'null',
            '-1',
            '99999999999999999999',
            '1e999',
            '"\\ud800"',
            '""',
            '{',
            '}',
            '$x',
            '@skip(if: true)',
            '...',
            '...X',
            '"""a"""',
            '[[[[1]]]]',
            '\u0000',
          ]),
        )
        .join(' '),
    () => tokens.slice(0, at).join(' '),
    () => `{ ${Array.from({ length: random.pick([11, 200]) }, (_, index) => `a${index}: me { userId }`).join(' ')} }`,
    () => `${'{ a '.repeat(random.pick([21, 300]))}${'}'.repeat(random.pick([21, 300]))}`,
    () => `{ ...F } fragment F on Query { ...G } fragment G on Query { ...F me { userId } }`,
    () => '{ products(limit: 100) { items { sku ...P } } } fragment P on Product { name description imageUrl }',
    () => `{ ${Array.from({ length: 10 }, (_, index) => `a${index}: orders(limit: 100) { items { ${orderFields} } }`).join(' ')} }`,
    () => `subscription { me { userId } }`,
    () => `query A { me { userId } } query B { me { userId } }`,
    () => `{ me @include(if: $no) { userId } }`,
    () => `{ __proto__ constructor }`,
    () => query.replace(/limit: \d+/, `limit: ${random.pick([0, -1, 101, 2_147_483_648, '"1"', 'null', 1.5])}`),
    () => `${'#'.repeat(5_000)}\n${query}`,
    () => '\ufeff'.repeat(3) + query,
  ])();
}
