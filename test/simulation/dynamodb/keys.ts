import type { TableShape } from '../../../functions/shared/tables.ts';
import { numberKeys } from '../../../functions/shared/tables.ts';
import { refusedByTable } from './errors.ts';
import { compare, type Item, isMap, storedValue, type Value } from './values.ts';

export type KeyPart = string | number;

export interface KeyNames {
  readonly partitionKey: string;
  readonly sortKey?: string | undefined;
}

/** The values of a key; `sort` is '' in a table without one. */
export interface Key {
  readonly partition: KeyPart;
  readonly sort: KeyPart;
}

const bytesMax = { partition: 2_048, sort: 1_024 } as const;

export const keyText = ({ partition, sort }: Key): string => `${partition}\u0000${sort}`;

export const compareKeys = (one: Key, other: Key): number => compare(one.partition, other.partition) || compare(one.sort, other.sort);

export const namesOf = ({ partitionKey, sortKey }: KeyNames): string[] =>
  sortKey === undefined ? [partitionKey] : [partitionKey, sortKey];

/** Whether a value is of the type that this key attribute has. */
export const isKeyPart = (name: string, value: Value | undefined): value is KeyPart =>
  typeof value === (numberKeys.has(name) ? 'number' : 'string');

function partOf(kind: keyof typeof bytesMax, name: string, value: Value | undefined): KeyPart {
  if (value === undefined) throw refusedByTable(`One or more parameter values were invalid: Missing the key ${name} in the item`);
  if (!isKeyPart(name, value)) throw refusedByTable(`One or more parameter values were invalid: Type mismatch for key ${name}`);
  if (value === '')
    throw refusedByTable(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    );
  if (typeof value === 'string' && Buffer.byteLength(value) > bytesMax[kind]) {
    throw refusedByTable(
      `One or more parameter values were invalid: Size of ${kind} key has exceeded the maximum size limit of ${bytesMax[kind]} bytes`,
    );
  }
  return value;
}

/** The key of an item. Throws what DynamoDB says of one that has none. */
export const keyOfItem = (names: KeyNames, item: Item): Key => ({
  partition: partOf('partition', names.partitionKey, item[names.partitionKey]),
  sort: names.sortKey === undefined ? '' : partOf('sort', names.sortKey, item[names.sortKey]),
});

/** The key that a caller names: its attributes and no others. */
export function keyFrom(names: KeyNames, given: unknown): Key {
  if (!isMap(given)) throw refusedByTable('The provided key element does not match the schema');
  const wanted = namesOf(names);
  const found = Object.keys(given).filter((name) => given[name] !== undefined);
  if (found.length !== wanted.length || !wanted.every((name) => found.includes(name))) {
    throw refusedByTable('The provided key element does not match the schema');
  }
  return keyOfItem(names, Object.fromEntries(wanted.map((name) => [name, storedValue(given[name]).value])));
}

export const itemOfKey = ({ partitionKey, sortKey }: KeyNames, { partition, sort }: Key): Record<string, KeyPart> =>
  sortKey === undefined ? { [partitionKey]: partition } : { [partitionKey]: partition, [sortKey]: sort };

/** Refuses an item that has an attribute of an index's key with a value that the index could not keep. An absent one is none. */
export function checkIndexKeys(shape: TableShape, item: Item): void {
  for (const index of Object.values(shape.indexes ?? {})) {
    if (index.partitionKey in item) partOf('partition', index.partitionKey, item[index.partitionKey]);
    if (index.sortKey in item) partOf('sort', index.sortKey, item[index.sortKey]);
  }
}
