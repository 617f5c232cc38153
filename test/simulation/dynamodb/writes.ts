import type { DeleteCommandInput, PutCommandInput, TransactWriteCommandInput, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { conditionFrom, type Test, testOf } from './conditions.ts';
import {
  conditionFailed,
  isRefusedByTable,
  type Reason,
  refusedAsInvalid,
  refusedByTable,
  tokenOfAnother,
  transactionCancelled,
  unknownToModel,
} from './errors.ts';
import { type Placeholders, Scope } from './expressions.ts';
import { checkIndexKeys, itemOfKey, type Key, keyFrom, keyOfItem, keyText, namesOf } from './keys.ts';
import { answered, type Database, parametersOf, wordOf } from './requests.ts';
import type { Table } from './table.ts';
import { changeOf } from './updates.ts';
import { copyOfItem, type Item, type Stored, storedItem } from './values.ts';

const itemBytesMax = 400 * 1_024;
const transactionWritesMax = 100;
const transactionBytesMax = 4 * 1_024 * 1_024;
const tokenMs = 10 * 60_000;

/** A write that could be read. Nothing of it has been done. */
interface Write {
  readonly table: Table;
  readonly key: Key;
  readonly test: Test;
  /** Whether a refusal shows the item that stands in the way. */
  readonly showsOld: boolean;
  /** What is there after it. Throws a refusal where that cannot be. */
  readonly next: (before: Item | undefined) => Stored<Item> | undefined;
}

type Conditional = Placeholders & {
  readonly ConditionExpression?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
};

const conditional = [
  'TableName',
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValuesOnConditionCheckFailure',
] as const;

/** The condition in its scope, and whether the loser is shown the item. To be called when everything else has used the scope. */
function guardOf(
  { ConditionExpression, ReturnValuesOnConditionCheckFailure }: Conditional,
  scope: Scope,
): Pick<Write, 'test' | 'showsOld'> {
  const test = ConditionExpression === undefined ? () => true : testOf(conditionFrom(ConditionExpression), scope);
  scope.checkAllUsed();
  const word = wordOf('ReturnValuesOnConditionCheckFailure', ReturnValuesOnConditionCheckFailure, ['NONE', 'ALL_OLD']);
  return { test, showsOld: word === 'ALL_OLD' };
}

function fitting(table: Table, after: Stored<Item>): Stored<Item> {
  if (after.bytes > itemBytesMax) throw refusedByTable('Item size has exceeded the maximum allowed size');
  checkIndexKeys(table.shape, after.value);
  return after;
}

const writeOf = {
  Put(input: unknown, database: Database): Write {
    const put = parametersOf<PutCommandInput>('Put', input, [...conditional, 'Item', 'ReturnValues']);
    const table = database.table(put.TableName);
    const after = storedItem(put.Item);
    const key = keyOfItem(table.shape, after.value);
    const guard = guardOf(put, new Scope(put));
    fitting(table, after);
    return { table, key, ...guard, next: () => after };
  },

  Delete(input: unknown, database: Database): Write {
    const remove = parametersOf<DeleteCommandInput>('Delete', input, [...conditional, 'Key', 'ReturnValues']);
    const table = database.table(remove.TableName);
    return { table, key: keyFrom(table.shape, remove.Key), ...guardOf(remove, new Scope(remove)), next: () => undefined };
  },

  Update(input: unknown, database: Database): Write {
    const update = parametersOf<UpdateCommandInput>('Update', input, [...conditional, 'Key', 'UpdateExpression', 'ReturnValues']);
    const table = database.table(update.TableName);
    const key = keyFrom(table.shape, update.Key);
    if (update.UpdateExpression === undefined) throw unknownToModel('an Update without an expression');
    const scope = new Scope(update);
    const change = changeOf(update.UpdateExpression, scope, namesOf(table.shape));
    const next = (before: Item | undefined) =>
      fitting(table, storedItem(change(before ?? itemOfKey(table.shape, key), before === undefined)));
    return { table, key, ...guardOf(update, scope), next };
  },
};

type Kind = keyof typeof writeOf;

/** A write alone. */
function single(kind: Kind, input: unknown, database: Database): object {
  const write = writeOf[kind](input, database);
  const asked = wordOf('ReturnValues', (input as { ReturnValues?: unknown }).ReturnValues, ['NONE', 'ALL_OLD', 'ALL_NEW']);
  if (asked === 'ALL_NEW' && kind !== 'Update') throw refusedAsInvalid('ReturnValues can only be ALL_OLD or NONE');
  const before = write.table.item(write.key);
  if (!write.test(before)) throw conditionFailed(write.showsOld ? before : undefined);
  const after = write.next(before);
  write.table.put(write.key, after);
  const shown = asked === 'NONE' ? undefined : asked === 'ALL_NEW' ? after?.value : before;
  return answered(shown ? { Attributes: copyOfItem(shown) } : {});
}

export const put = (input: unknown, database: Database): object => single('Put', input, database);
export const update = (input: unknown, database: Database): object => single('Update', input, database);
export const remove = (input: unknown, database: Database): object => single('Delete', input, database);

/** Tokens of transactions that committed, each with what was sent under it, for as long as DynamoDB knows them. */
export class Tokens {
  readonly #known = new Map<string, { readonly sent: string; readonly atMs: number }>();

  /** Whether these writes were committed under this token before. Throws when other ones were. */
  isRepeated(token: string, sent: string, nowMs: number): boolean {
    for (const [each, { atMs }] of this.#known) {
      if (atMs > nowMs - tokenMs) break;
      this.#known.delete(each);
    }
    const known = this.#known.get(token);
    if (known && known.sent !== sent) throw tokenOfAnother();
    return known !== undefined;
  }

  keep(token: string, sent: string, nowMs: number): void {
    this.#known.set(token, { sent, atMs: nowMs });
  }
}

/** All writes or none. */
export function transactWrite(input: unknown, database: Database, tokens: Tokens): object {
  const { TransactItems = [], ClientRequestToken: token } = parametersOf<TransactWriteCommandInput>('TransactWrite', input, [
    'TransactItems',
    'ClientRequestToken',
  ]);
  if (TransactItems.length === 0 || TransactItems.length > transactionWritesMax) {
    throw refusedAsInvalid(`Member must have length between 1 and ${transactionWritesMax} at 'transactItems'`);
  }
  const parts = TransactItems.map((each) => orReason(() => partOf(each, database)));
  const writes = parts.flatMap(({ done }) => done ?? []);
  const names = new Set(writes.map(({ table, key }) => `${table.name}\u0000${keyText(key)}`));
  if (names.size < writes.length) throw refusedAsInvalid('Transaction request cannot include multiple operations on one item');

  const sent = token === undefined ? '' : JSON.stringify(TransactItems);
  const nowMs = database.nowMs();
  if (token !== undefined && tokens.isRepeated(token, sent, nowMs)) return answered({});
  const results = parts.map(({ done, reason }) => (done ? resultOf(done) : { reason }));
  if (results.some(({ reason }) => reason !== 'none')) throw transactionCancelled(results.map(({ reason }) => reason));
  const bytes = results.reduce((sum, { done }) => sum + (done?.bytes ?? 0), 0);
  if (bytes > transactionBytesMax) throw unknownToModel(`a transaction of ${bytes} bytes`);
  for (const [index, { table, key }] of writes.entries()) table.put(key, results[index]?.done);
  if (token !== undefined) tokens.keep(token, sent, nowMs);
  return answered({});
}

function partOf(given: Record<string, unknown>, database: Database): Write {
  const [kind, ...others] = Object.keys(given).filter((name) => given[name] !== undefined);
  if (kind === undefined || others.length > 0 || !Object.hasOwn(writeOf, kind))
    throw unknownToModel(`${Object.keys(given)} in a transaction`);
  const part = given[kind];
  if ((part as { ReturnValues?: unknown }).ReturnValues !== undefined) throw unknownToModel('ReturnValues in a transaction');
  return writeOf[kind as Kind](part, database);
}

interface Tried<Done> {
  readonly reason: Reason;
  readonly done?: Done;
}

/** What a write does not fit the table for is the reason that the transaction gives for it. */
function orReason<Done>(attempt: () => Done): Tried<Done> {
  try {
    return { reason: 'none', done: attempt() };
  } catch (error) {
    if (!isRefusedByTable(error)) throw error;
    return { reason: { code: 'ValidationError', message: error.message } };
  }
}

function resultOf({ table, key, test, showsOld, next }: Write): Tried<Stored<Item> | undefined> {
  const before = table.item(key);
  if (test(before)) return orReason(() => next(before));
  const message = 'The conditional request failed';
  return { reason: { code: 'ConditionalCheckFailed', message, item: showsOld ? before : undefined } };
}
