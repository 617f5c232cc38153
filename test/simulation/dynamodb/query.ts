import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { type Comparator, type Condition, conditionFrom } from './conditions.ts';
import { refusedAsInvalid, unknownToModel } from './errors.ts';
import { type Operand, Scope } from './expressions.ts';
import { isKeyPart, itemOfKey, type KeyNames, type KeyPart, keyFrom, keyOfItem, namesOf } from './keys.ts';
import { filterOf, momentOf, type Page, pageOf, queryParameters, shownBy } from './reads.ts';
import { answered, type Database, parametersOf } from './requests.ts';
import type { Range } from './rows.ts';
import type { SecondaryIndex } from './secondary-index.ts';
import type { Table } from './table.ts';
import { compare, storedItem, utf8Bytes, type Value } from './values.ts';

interface Where {
  readonly partition: KeyPart;
  readonly range: Range;
}

/** One partition of a table or an index, in the order of the sort key. */
export function query(input: unknown, database: Database): object {
  const asked = parametersOf<QueryCommandInput>('Query', input, queryParameters);
  const table = database.table(asked.TableName);
  const index = asked.IndexName === undefined ? undefined : indexOf(table, asked);
  const keys: KeyNames = index?.names ?? table.shape;
  if (asked.KeyConditionExpression === undefined) throw refusedAsInvalid('KeyConditionExpression must be specified in the request.');
  const scope = new Scope(asked);
  const where = whereOf(conditionFrom(asked.KeyConditionExpression), keys, scope);
  const { show, names } = shownBy(asked.ProjectionExpression, scope);
  const test = filterOf(asked, scope, namesOf(keys));
  scope.checkAllUsed();
  const page: Page = { limit: asked.Limit, itemsMax: database.pageItemsMax, test, show };
  if (!index) return inTable(table, where, page, asked);
  const kept = [...namesOf(keys), ...namesOf(table.shape)];
  const missing = names?.find((name) => !kept.includes(name));
  if (missing !== undefined) throw refusedAsInvalid(`Global secondary index ${asked.IndexName} does not project [${missing}]`);
  if (asked.FilterExpression !== undefined) throw unknownToModel('filters of what an index gives');
  return inIndex(table, index, where, page, asked, database.nowMs());
}

function indexOf(table: Table, { IndexName = '', ConsistentRead }: QueryCommandInput): SecondaryIndex {
  const index = table.indexes.get(IndexName);
  if (!index) throw refusedAsInvalid(`The table does not have the specified index: ${IndexName}`);
  if (ConsistentRead === true) throw refusedAsInvalid('Consistent reads are not supported on global secondary indexes');
  return index;
}

function inTable(table: Table, { partition, range }: Where, page: Page, asked: QueryCommandInput): object {
  const isForward = asked.ScanIndexForward !== false;
  const after = asked.ExclusiveStartKey && keyFrom(table.shape, asked.ExclusiveStartKey);
  if (after) checkStart(after, partition, range);
  const rest: Range = !after
    ? range
    : isForward
      ? { ...range, from: after.sort, fromBeyond: true }
      : { ...range, to: after.sort, toBefore: true };
  const walk = table.rows.inPartition(partition, rest, isForward, momentOf(table, asked.ConsistentRead));
  const { last, ...found } = pageOf(walk, page);
  return answered({ ...found, ...(last && { LastEvaluatedKey: itemOfKey(table.shape, last.key) }) });
}

function inIndex(
  table: Table,
  index: SecondaryIndex,
  { partition, range }: Where,
  page: Page,
  asked: QueryCommandInput,
  nowMs: number,
): object {
  const after = asked.ExclusiveStartKey && startOf(table, index, asked.ExclusiveStartKey);
  if (after) checkStart(after.index, partition, range);
  const walk = index.inPartition(partition, range, asked.ScanIndexForward !== false, nowMs, after);
  const { last, ...found } = pageOf(sized(walk), page);
  return answered({ ...found, ...(last && { LastEvaluatedKey: { ...last.item } }) });
}

/** An index' own overhead for each entry. */
const entryBytes = 100;

function* sized<Entry extends { readonly item: Record<string, unknown> }>(entries: Iterable<Entry>): Generator<Entry & { bytes: number }> {
  for (const entry of entries) yield { ...entry, bytes: entryBytes + utf8Bytes(Object.values(entry.item).join('')) };
}

function startOf(table: Table, index: SecondaryIndex, given: Record<string, unknown>) {
  const start = storedItem(given).value;
  const wanted = new Set([...namesOf(index.names), ...namesOf(table.shape)]);
  const found = Object.keys(start);
  if (found.length !== wanted.size || found.some((name) => !wanted.has(name)))
    throw refusedAsInvalid('The provided starting key is invalid');
  return { index: keyOfItem(index.names, start), table: keyOfItem(table.shape, start) };
}

function checkStart(
  start: { readonly partition: KeyPart; readonly sort: KeyPart },
  partition: KeyPart,
  { from, fromBeyond, to, toBefore }: Range,
): void {
  if (start.partition !== partition)
    throw refusedAsInvalid('The provided starting key is outside query boundaries based on provided conditions');
  const below = from === undefined ? 1 : compare(start.sort, from);
  const above = to === undefined ? -1 : compare(start.sort, to);
  if (below < 0 || (below === 0 && fromBeyond) || above > 0 || (above === 0 && toBefore)) {
    throw refusedAsInvalid('The provided starting key does not match the range key predicate');
  }
}

/** The partition that a key condition names, and the stretch of it. */
function whereOf(condition: Condition, keys: KeyNames, scope: Scope): Where {
  const parts = condition.kind === 'and' ? condition.parts : [condition];
  let partition: KeyPart | undefined;
  let range: Range | undefined;
  for (const part of parts) {
    const { name, by, value } = comparedIn(part, scope);
    const isKey = name === keys.partitionKey || name === keys.sortKey;
    if (!isKey) throw refusedAsInvalid(`Query condition missed key schema element: ${keys.partitionKey}`);
    if (!isKeyPart(name, value))
      throw refusedAsInvalid('One or more parameter values were invalid: Condition parameter type does not match schema type');
    if (value === '')
      throw refusedAsInvalid(
        'One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.',
      );
    const isRepeated = name === keys.partitionKey ? partition !== undefined : range !== undefined;
    if (isRepeated) throw refusedAsInvalid('KeyConditionExpressions must only contain one condition per key');
    if (name === keys.sortKey) range = rangeOf(by, value);
    else if (by === '=') partition = value;
    else throw refusedAsInvalid('Query key condition not supported');
  }
  if (partition === undefined) throw refusedAsInvalid(`Query condition missed key schema element: ${keys.partitionKey}`);
  return { partition, range: range ?? {} };
}

type KeyComparator = Comparator | 'prefix';

interface Compared {
  readonly name: string;
  readonly by: KeyComparator;
  readonly value: Value;
}

function comparedIn(part: Condition, scope: Scope): Compared {
  const read = (of: Operand, by: KeyComparator, than: Operand): Compared => {
    if (of.kind !== 'path' || than.kind !== 'value' || of.path.length !== 1) throw unknownToModel('this condition of keys');
    return { name: scope.name(of.path[0] ?? ''), by, value: scope.value(than.name) };
  };
  if (part.kind === 'compare') return read(part.left, part.by, part.right);
  if (part.kind === 'prefix') return read(part.of, 'prefix', part.prefix);
  throw unknownToModel(`"${part.kind}" in a condition of keys`);
}

function rangeOf(by: KeyComparator, value: KeyPart): Range {
  switch (by) {
    case '=':
      return { from: value, to: value };
    case '<':
      return { to: value, toBefore: true };
    case '<=':
      return { to: value };
    case '>':
      return { from: value, fromBeyond: true };
    case '>=':
      return { from: value };
    case 'prefix':
      if (typeof value !== 'string') throw refusedAsInvalid('Invalid operand type for begins_with');
      return { from: value, to: `${value}\uffff` };
  }
}
