import type { BatchGetCommandInput, GetCommandInput, QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import { attributesIn, conditionFrom, type Test, testOf } from './conditions.ts';
import { refusedAsInvalid, unknownToModel } from './errors.ts';
import { type Placeholders, projectedBy, Scope } from './expressions.ts';
import { itemOfKey, type Key, keyFrom, keyText } from './keys.ts';
import { answered, type Database, parametersOf } from './requests.ts';
import type { Row } from './rows.ts';
import { hashOf } from './sorted.ts';
import type { Table } from './table.ts';
import { copyOf, copyOfItem, type Item, type Value } from './values.ts';

const batchKeysMax = 100;
const batchBytesMax = 16 * 1_024 * 1_024;
export const pageBytesMax = 1_024 * 1_024;

export type Shown = (item: Item) => Record<string, unknown>;

/** How an item is shown to the caller: all of it, or the attributes that a projection names. */
export function shownBy(expression: string | undefined, scope: Scope): { show: Shown; names: readonly string[] | undefined } {
  if (expression === undefined) return { show: copyOfItem, names: undefined };
  const names = projectedBy(expression, scope);
  const show = (item: Item) =>
    Object.fromEntries(names.flatMap((name) => (Object.hasOwn(item, name) ? [[name, copyOf(item[name] as Value)]] : [])));
  return { show, names };
}

/** Which moment a read shows: this one with strong consistency, otherwise perhaps an earlier one. */
export const momentOf = (table: Table, isConsistent: boolean | undefined): number | undefined =>
  isConsistent === true ? undefined : table.staleAsOfMs();

export function get(input: unknown, database: Database): object {
  const known = ['TableName', 'Key', 'ConsistentRead', 'ProjectionExpression', 'ExpressionAttributeNames'] as const;
  const asked = parametersOf<GetCommandInput>('Get', input, known);
  const table = database.table(asked.TableName);
  const key = keyFrom(table.shape, asked.Key);
  const scope = new Scope(asked);
  const { show } = shownBy(asked.ProjectionExpression, scope);
  scope.checkAllUsed();
  const item = table.rows.get(key, momentOf(table, asked.ConsistentRead))?.item;
  return answered({ Item: item && show(item) });
}

/** Of one table at a time. What it leaves over is drawn; the order of what it finds is not that of the keys. */
export function batchGet(input: unknown, database: Database): object {
  const { RequestItems = {} } = parametersOf<BatchGetCommandInput>('BatchGet', input, ['RequestItems']);
  const [[name, wanted] = [], ...others] = Object.entries(RequestItems);
  if (name === undefined || others.length > 0) throw unknownToModel(`a BatchGet of ${others.length === 0 ? 'no' : 'several'} tables`);
  const known = ['Keys', 'ConsistentRead', 'ProjectionExpression', 'ExpressionAttributeNames'] as const;
  const asked = parametersOf<NonNullable<BatchGetCommandInput['RequestItems']>[string]>('BatchGet', wanted, known);
  const given = asked.Keys ?? [];
  const table = database.table(name);
  if (given.length === 0 || given.length > batchKeysMax) throw refusedAsInvalid('Too many items requested for the BatchGetItem call');
  const keys = given.map((each) => keyFrom(table.shape, each));
  if (new Set(keys.map(keyText)).size < keys.length) throw refusedAsInvalid('Provided list of item keys contains duplicates');
  const scope = new Scope(asked);
  const { show } = shownBy(asked.ProjectionExpression, scope);
  scope.checkAllUsed();

  const moment = momentOf(table, asked.ConsistentRead);
  const isLeftOver = keys.map((_, index) => index > 0 && database.unprocessedShare > 0 && database.random() < database.unprocessedShare);
  const rows = keys.flatMap((key, index) => (isLeftOver[index] ? [] : (table.rows.get(key, moment) ?? [])));
  const found = rows.filter(({ item }) => item !== undefined).sort(byHash);
  if (found.reduce((sum, { bytes }) => sum + bytes, 0) > batchBytesMax) throw unknownToModel('a BatchGet of more than 16 MB');
  const left = given.filter((_, index) => isLeftOver[index]);
  return answered({
    Responses: { [name]: found.flatMap(({ item }) => (item ? [show(item)] : [])) },
    UnprocessedKeys: left.length === 0 ? {} : { [name]: { ...asked, Keys: left } },
  });
}

const byHash = (one: Row, other: Row): number => hashOf(keyText(one.key)) - hashOf(keyText(other.key));

export interface Page {
  readonly limit: number | undefined;
  readonly itemsMax: number;
  readonly test: Test;
  readonly show: Shown;
}

/** A page of what a walk comes upon: what the filter lets through, and the last that was looked at if the walk was not at its end. */
export function pageOf<Found extends { readonly item: Item | undefined; readonly bytes: number }>(
  walk: Iterable<Found>,
  { limit, itemsMax, test, show }: Page,
): { Items: Record<string, unknown>[]; Count: number; ScannedCount: number; last: Found | undefined } {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
    throw refusedAsInvalid('Limit must be greater than or equal to 1');
  const Items: Record<string, unknown>[] = [];
  const countMax = Math.min(limit ?? Number.POSITIVE_INFINITY, itemsMax);
  let [count, bytes] = [0, 0];
  let last: Found | undefined;
  for (const found of walk) {
    if (found.item === undefined) continue;
    count++;
    bytes += found.bytes;
    if (test(found.item)) Items.push(show(found.item));
    // As DynamoDB does, the page ends here without a look whether anything follows.
    if (count >= countMax || bytes >= pageBytesMax) {
      last = found;
      break;
    }
  }
  return { Items, Count: Items.length, ScannedCount: count, last };
}

export type Filtered = Placeholders & { readonly FilterExpression?: string | undefined };

/** What lets an item through; it may not look at attributes of `keys`. */
export function filterOf({ FilterExpression }: Filtered, scope: Scope, keys: readonly string[] = []): Test {
  if (FilterExpression === undefined) return () => true;
  const condition = conditionFrom(FilterExpression);
  const key = attributesIn(condition, scope).find((name) => keys.includes(name));
  if (key !== undefined)
    throw refusedAsInvalid(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${key}`);
  return testOf(condition, scope);
}

export function scan(input: unknown, database: Database): object {
  const asked = parametersOf<ScanCommandInput>('Scan', input, [
    'TableName',
    'ConsistentRead',
    'ExclusiveStartKey',
    'ExpressionAttributeNames',
    'ExpressionAttributeValues',
    'FilterExpression',
    'Limit',
    'ProjectionExpression',
  ]);
  const table = database.table(asked.TableName);
  const scope = new Scope(asked);
  const { show } = shownBy(asked.ProjectionExpression, scope);
  const test = filterOf(asked, scope);
  scope.checkAllUsed();
  const after: Key | undefined = asked.ExclusiveStartKey && keyFrom(table.shape, asked.ExclusiveStartKey);
  const walk = table.rows.all(after, momentOf(table, asked.ConsistentRead));
  const { last, ...page } = pageOf(walk, { limit: asked.Limit, itemsMax: database.pageItemsMax, test, show });
  return answered({ ...page, ...(last && { LastEvaluatedKey: itemOfKey(table.shape, last.key) }) });
}

/** The parameters that a query may have. */
export const queryParameters = [
  'TableName',
  'IndexName',
  'ConsistentRead',
  'ExclusiveStartKey',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'FilterExpression',
  'KeyConditionExpression',
  'Limit',
  'ProjectionExpression',
  'ScanIndexForward',
] as const satisfies readonly (keyof QueryCommandInput)[];
