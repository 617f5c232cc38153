import fc from 'fast-check';
import type { TableShape } from '../../../functions/shared/tables.ts';
import { numberKeys } from '../../../functions/shared/tables.ts';
import { namesOf } from './keys.ts';
import { reservedWords } from './reserved-words.ts';
import type { Call } from './twin.ts';

/** A condition, an update or a projection as the code writes it, with the values that it may have. Placeholders of keys: `@pk`. */
interface Expression {
  readonly text: string;
  readonly names?: Record<string, string>;
  readonly values?: Record<string, fc.Arbitrary<unknown>>;
}

const small = fc.integer({ min: 0, max: 3 });
const word = fc.constantFrom('HELD', 'SOLD', 'ord_1', 'ord_2', '');
const anyText = fc.oneof(word, fc.string({ unit: 'grapheme', maxLength: 6 }));
const anyNumber = fc.oneof(
  small,
  fc.constantFrom(-0, -1, 1.5, 0.1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e-7, 123_456_789.125),
);
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    anyText,
    anyNumber,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'doneAtMs', 'closedAtMs'), tie('value'), { maxKeys: 3 }),
  ),
}));
const pass = fc.record({ closedAtMs: small, failed: small });

const conditions: readonly Expression[] = [
  { text: 'attribute_not_exists(@pk)' },
  { text: 'attribute_exists(@pk)' },
  { text: 'attribute_not_exists(#pk)', names: { '#pk': '@pk' } },
  { text: 'epoch = :epoch AND stockLoaded = :false', values: { ':epoch': small, ':false': fc.constant(false) } },
  { text: 'attribute_not_exists(@pk) OR (tombstone = :true AND bornUs < :born)', values: { ':true': fc.constant(true), ':born': small } },
  { text: 'attribute_not_exists(@pk) OR #epoch <= :epoch', names: { '#epoch': 'epoch' }, values: { ':epoch': small } },
  { text: 'orderId = :orderId', values: { ':orderId': word } },
  { text: 'orderId >= :orderId', values: { ':orderId': anyText } },
  { text: 'epoch > :epoch', values: { ':epoch': fc.oneof(anyNumber, word) } },
  { text: 'extra = :extra', values: { ':extra': anyValue } },
  { text: 'begins_with(orderId, :start)', values: { ':start': fc.constantFrom('ord', 'HE', '') } },
  {
    text: 'attribute_exists(cancellation) AND attribute_not_exists(cancellation.doneAtMs) AND endingPass.closedAtMs = :closing',
    values: { ':closing': small },
  },
  { text: 'attribute_exists(@pk) and #balance >= :amount', names: { '#balance': 'balanceMinor' }, values: { ':amount': small } },
  { text: 'epoch = bornUs OR tombstone = :true AND epoch < :born', values: { ':true': fc.boolean(), ':born': small } },
  { text: '(epoch = bornUs OR tombstone = :true) AND epoch < :born', values: { ':true': fc.boolean(), ':born': small } },
  { text: ':epoch = epoch', values: { ':epoch': small } },
];

/** DynamoDB refuses it where there is no such map, and so does the model; the server takes it. */
const removing = 'SET endingPass = :pass REMOVE cancellation.doneAtMs';
function whereThereIsOne(call: Record<string, unknown>): Record<string, unknown> {
  if (call.UpdateExpression !== removing) return call;
  const also = call.ConditionExpression === undefined ? '' : ` AND (${String(call.ConditionExpression)})`;
  return { ...call, ConditionExpression: `attribute_exists(cancellation)${also}` };
}

const updates: readonly Expression[] = [
  { text: 'SET #state = :state, atMs = :at', names: { '#state': 'state' }, values: { ':state': word, ':at': small } },
  {
    text: 'SET #balance = #balance - :amount, epoch = epoch + :one',
    names: { '#balance': 'balanceMinor' },
    values: { ':amount': small, ':one': fc.constant(1) },
  },
  {
    text: 'ADD #held :held, epoch :one',
    names: { '#held': 'held' },
    values: { ':held': fc.integer({ min: -2, max: 2 }), ':one': fc.constant(1) },
  },
  { text: 'SET #total = :total ADD epoch :one', names: { '#total': 'total' }, values: { ':total': small, ':one': fc.constant(1) } },
  { text: removing, values: { ':pass': pass } },
  { text: 'SET cancellation.doneAtMs = :at, endingPass = :pass', values: { ':at': small, ':pass': pass } },
  { text: 'SET cancellation = :cancellation', values: { ':cancellation': fc.constantFrom({}, { reason: 'rain' }, { doneAtMs: 1 }) } },
  { text: 'SET extra = :extra, bornUs = epoch', values: { ':extra': anyValue } },
  { text: 'SET dueShard = :shard, dueAtMs = :at', values: { ':shard': fc.constantFrom('due#0', 'due#1'), ':at': small } },
  {
    text: 'SET dueShard = :shard, dueAtMs = :at',
    values: { ':shard': fc.constantFrom('due#0', 5), ':at': fc.constantFrom('soon', 1) },
  },
  { text: 'REMOVE dueShard, dueAtMs, nothing' },
  { text: 'remove tombstone set epoch = :at', values: { ':at': small } },
  { text: 'SET epoch = orderId + :one', values: { ':one': fc.constant(1) } },
];

export interface CallsOf {
  readonly table: string;
  readonly shape: TableShape;
  /** Begins every key, so that one run's items are not another's. */
  readonly prefix: string;
}

/** Calls that the code could make of a table, and some that it should not. */
export function callsOf({ table, shape, prefix }: CallsOf): fc.Arbitrary<Call> {
  const valueOfKey = (name: string) =>
    numberKeys.has(name)
      ? fc.integer({ min: 0, max: 3 })
      : fc.constantFrom(...['', '2', '10', 'B', 'a', 'é'].map((end) => `${prefix}${end}`));
  const names = namesOf(shape);
  const key = fc.record(Object.fromEntries(names.map((name) => [name, valueOfKey(name)])));
  const wrongKey = fc.constantFrom(
    {},
    { [shape.partitionKey]: '' },
    { [shape.partitionKey]: 7 },
    { other: 'x' },
    { [shape.partitionKey]: `${prefix}x`, other: 1 },
  );
  const someKey = fc.oneof({ weight: 20, arbitrary: key }, { weight: 1, arbitrary: wrongKey });
  const TableName = fc.constant(table);

  const isReserved = reservedWords.has(shape.partitionKey.toUpperCase());
  const isAllowed = ({ text }: Expression) => !isReserved || !text.includes('@pk');
  const placed = (text: string) => text.replaceAll('@pk', shape.partitionKey);
  function written(member: 'ConditionExpression' | 'UpdateExpression' | 'FilterExpression', { text, names: aliases, values }: Expression) {
    return fc.record({
      [member]: fc.constant(placed(text)),
      ...(aliases && {
        ExpressionAttributeNames: fc.constant(Object.fromEntries(Object.entries(aliases).map(([alias, name]) => [alias, placed(name)]))),
      }),
      ...(values && { ExpressionAttributeValues: fc.record(values) }),
    });
  }
  const condition = (member: 'ConditionExpression' | 'FilterExpression') =>
    fc.oneof(fc.constant({}), ...conditions.filter(isAllowed).map((each) => written(member, each)));
  const attributes = fc.record(
    {
      epoch: small,
      bornUs: small,
      orderId: word,
      tombstone: fc.boolean(),
      stockLoaded: fc.boolean(),
      state: word,
      balanceMinor: small,
      held: small,
      cancellation: fc.constantFrom({}, { reason: 'rain' }, { doneAtMs: 1 }),
      endingPass: pass,
      extra: anyValue,
      dueShard: fc.constantFrom('due#0', 'due#1'),
      dueAtMs: small,
      left: fc.constant(undefined),
    },
    { requiredKeys: [] },
  );
  const showing = fc.record({ ReturnValuesOnConditionCheckFailure: fc.constantFrom('ALL_OLD', 'NONE') }, { requiredKeys: [] });
  const guarded = fc.tuple(condition('ConditionExpression'), showing).map((parts) => merged(...parts));

  const change = fc.oneof(...updates.map((each) => written('UpdateExpression', each)));
  /** The three kinds of writes, of keys that are so drawn. */
  function writesOf(itsKey: typeof key) {
    const item = fc.tuple(attributes, itsKey).map(([others, names]) => ({ ...others, ...names }));
    return {
      Put: fc.tuple(fc.record({ TableName, Item: item }), guarded).map((parts) => merged(...parts)),
      Update: fc.tuple(fc.record({ TableName, Key: itsKey }), change, guarded).map((parts) => whereThereIsOne(merged(...parts))),
      Delete: fc.tuple(fc.record({ TableName, Key: itsKey }), guarded).map((parts) => merged(...parts)),
    };
  }
  const { Put, Update, Delete } = writesOf(someKey);
  const returning = (...words: string[]) => fc.oneof(fc.constant({}), fc.record({ ReturnValues: fc.constantFrom(...words) }));
  const transactItem = fc.oneof(...Object.entries(writesOf(key)).map(([kind, part]) => part.map((each) => ({ [kind]: each }))));
  const keyOf = (part: Record<string, Record<string, unknown>>) => {
    const [{ Key, Item } = {}] = Object.values(part);
    return JSON.stringify(names.map((name) => ((Key ?? Item) as Record<string, unknown>)[name]));
  };
  const transaction = fc.oneof(
    fc.record({ TransactItems: fc.array(transactItem, { minLength: 1, maxLength: 4 }) }),
    fc.record({
      // No item twice: of a call that is wrong in two ways the server says the other one.
      TransactItems: fc.uniqueArray(transactItem, { minLength: 1, maxLength: 4, selector: keyOf }),
      ClientRequestToken: fc.constantFrom(`${prefix}1`, `${prefix}2`),
    }),
  );

  const consistent = { ConsistentRead: fc.constant(true) };
  const projected = fc.constantFrom<Record<string, unknown>>(
    {},
    { ProjectionExpression: 'epoch, #state, absent', ExpressionAttributeNames: { '#state': 'state' } },
    { ProjectionExpression: isReserved ? 'extra' : placed('@pk,extra') },
  );
  const calls: Record<string, [number, fc.Arbitrary<Record<string, unknown>>]> = {
    Put: [8, fc.tuple(Put, returning('ALL_OLD', 'NONE')).map((parts) => merged(...parts))],
    Update: [8, fc.tuple(Update, returning('ALL_NEW', 'NONE')).map((parts) => merged(...parts))],
    Delete: [2, fc.tuple(Delete, returning('ALL_OLD', 'NONE')).map((parts) => merged(...parts))],
    TransactWrite: [8, transaction],
    Get: [2, fc.tuple(fc.record({ TableName, Key: someKey, ...consistent }), projected).map((parts) => merged(...parts))],
    BatchGet: [
      2,
      fc
        .tuple(fc.array(someKey, { minLength: 1, maxLength: 4 }), projected)
        .map(([Keys, projection]) => ({ RequestItems: { [table]: { Keys, ConsistentRead: true, ...projection } } })),
    ],
    Query: [
      4,
      fc
        .tuple(
          queryOf(shape.partitionKey, shape.sortKey, valueOfKey),
          fc.record({ TableName, ...consistent }),
          projected,
          condition('FilterExpression'),
        )
        .map((parts) => merged(...parts)),
    ],
    ...indexQueries(),
  };

  function indexQueries(): typeof calls {
    const index = shape.indexes?.due;
    if (!index) return {};
    const partition = () => fc.constantFrom('due#0', 'due#1');
    const where = queryOf(index.partitionKey, index.sortKey, (name) => (name === index.partitionKey ? partition() : small));
    return {
      'Query of an index': [3, fc.tuple(where, fc.record({ TableName, IndexName: fc.constant('due') })).map((parts) => merged(...parts))],
    };
  }

  return fc.oneof(
    ...Object.entries(calls).map(([name, [weight, input]]) => ({
      weight,
      arbitrary: input.map((each) => ({ operation: name.split(' ')[0] as Call['operation'], input: each })),
    })),
  );
}

/** Queries of one partition: all of it, or a stretch, in pages of few. */
function queryOf(partitionKey: string, sortKey: string | undefined, valueFor: (name: string) => fc.Arbitrary<unknown>) {
  const whole = fc.record({
    KeyConditionExpression: fc.constant('#p = :p'),
    ExpressionAttributeNames: fc.constant({ '#p': partitionKey }),
    ExpressionAttributeValues: fc.record({ ':p': valueFor(partitionKey) }),
  });
  const stretch = (sort: string) =>
    fc.record({
      KeyConditionExpression: fc.constantFrom(
        '#p = :p AND #s <= :s',
        '#p = :p AND #s > :s',
        '#s < :s AND #p = :p',
        '#p = :p and #s = :s',
        '#p = :p AND #s >= :s',
        ...(numberKeys.has(sort) ? [] : ['#p = :p AND begins_with(#s, :s)']),
      ),
      ExpressionAttributeNames: fc.constant({ '#p': partitionKey, '#s': sort }),
      ExpressionAttributeValues: fc.record({ ':p': valueFor(partitionKey), ':s': valueFor(sort) }),
    });
  const paging = fc.record({ Limit: fc.integer({ min: 1, max: 3 }), ScanIndexForward: fc.boolean() }, { requiredKeys: [] });
  return fc
    .tuple(sortKey === undefined ? whole : fc.oneof(whole, stretch(sortKey)), paging)
    .map(([where, page]) => ({ ...where, ...page }));
}

/** Parts of a call together, with the placeholders of all of them. */
function merged(...parts: readonly Record<string, unknown>[]): Record<string, unknown> {
  const all = (member: string) => Object.assign({}, ...parts.map((part) => part[member])) as object;
  const placeholders = ['ExpressionAttributeNames', 'ExpressionAttributeValues'].flatMap((member) =>
    Object.keys(all(member)).length > 0 ? [[member, all(member)]] : [],
  );
  return Object.assign({}, ...parts, Object.fromEntries(placeholders));
}
