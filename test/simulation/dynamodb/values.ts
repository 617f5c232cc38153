import { refusedAsInvalid, unknownToModel } from './errors.ts';

/** What an attribute may hold here: what JSON may. Sets, binary and numbers that JavaScript cannot tell apart are not used by Stampede. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };
export type Item = { readonly [name: string]: Value };

const depthMax = 32;
/** Below it a number is not one of DynamoDB's any more; far from anything that is counted here. */
const tinyNumber = 1e-100;

/** A copy of what a caller gave, frozen, as the SDK's marshaller would read it (`removeUndefinedValues`), with its size as DynamoDB counts it. */
export interface Stored<Kind extends Value = Value> {
  readonly value: Kind;
  readonly bytes: number;
}

/** Reads an item, or another map of attributes by name. Throws what the marshaller throws. */
export function storedItem(given: unknown): Stored<Item> {
  if (!isMap(given)) throw new TypeError(`an item is a map of attributes, not ${String(given)}`);
  const read = storedMap(given, 0);
  // The overhead of a map counts within items, not for an item itself.
  return { value: read.value, bytes: read.bytes - mapBytes };
}

export function storedValue(given: unknown, depth = 0): Stored {
  if (depth > depthMax) throw refusedAsInvalid('Nesting Levels have exceeded supported limits');
  switch (typeof given) {
    case 'string':
      return { value: given, bytes: utf8Bytes(given) };
    case 'number':
      return storedNumber(given);
    case 'boolean':
      return { value: given, bytes: 1 };
    case 'undefined':
      throw new Error('Pass options.removeUndefinedValues=true to remove undefined values from map/array/set.');
    case 'object':
      if (given === null) return { value: null, bytes: 1 };
      if (Array.isArray(given)) return storedList(given, depth);
      if (isMap(given)) return storedMap(given, depth);
  }
  throw unknownToModel(`values such as ${String(given)}`);
}

const mapBytes = 3;

function storedMap(given: Record<string, unknown>, depth: number): Stored<Item> {
  const value: Record<string, Value> = {};
  let bytes = mapBytes;
  // In an order of its own: a map of DynamoDB has none, and whoever relies on that of the caller should find out.
  for (const name of Object.keys(given).sort()) {
    const member = given[name];
    if (isLeftOut(member)) continue;
    const read = storedValue(member, depth + 1);
    value[name] = read.value;
    bytes += read.bytes + utf8Bytes(name) + (depth === 0 ? 0 : 1);
  }
  return { value: Object.freeze(value), bytes };
}

function storedList(given: readonly unknown[], depth: number): Stored {
  let bytes = mapBytes;
  const value = given
    .filter((member) => !isLeftOut(member))
    .map((member) => {
      const read = storedValue(member, depth + 1);
      bytes += read.bytes + 1;
      return read.value;
    });
  return { value: Object.freeze(value), bytes };
}

function storedNumber(given: number): Stored {
  if (!Number.isFinite(given)) throw new Error(`Special numeric value ${given} is not allowed`);
  if (Math.abs(given) > Number.MAX_SAFE_INTEGER)
    throw new Error(`Number ${given} is beyond what is safe. Use NumberValue from @aws-sdk/lib-dynamodb.`);
  if (given !== 0 && Math.abs(given) < tinyNumber) throw unknownToModel(`numbers as small as ${given}`);
  // There is one zero.
  return { value: given === 0 ? 0 : given, bytes: Math.ceil(String(Math.abs(given)).length / 2) + 1 };
}

const isLeftOut = (value: unknown): boolean => value === undefined || typeof value === 'function';

/** The marshaller takes plain objects for maps, of whichever realm; instances of classes it refuses. */
export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && (value.constructor?.name ?? 'Object') === 'Object';

/** Mostly ASCII, whose length is its size. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** A copy that its reader may change. */
export function copyOf(value: Value): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isListValue(value)) return value.map(copyOf);
  return copyOfItem(value);
}

export function copyOfItem(item: Item): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name in item) copy[name] = copyOf(item[name] as Value);
  return copy;
}

export const isListValue = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);
export const isMapValue = (value: Value | undefined): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether two values are equal as DynamoDB compares them: of one type, and all that is in them. */
export function isSame(one: Value | undefined, other: Value | undefined): boolean {
  if (one === other) return true;
  if (isListValue(one))
    return isListValue(other) && one.length === other.length && one.every((member, index) => isSame(member, other[index]));
  if (!isMapValue(one) || !isMapValue(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

/** A value that has an order: below 0 if `one` comes first. Strings go by their bytes in UTF-8, which is the order of code points. */
export function compare<Kind extends string | number>(one: Kind, other: Kind): number {
  if (one === other) return 0;
  if (typeof one === 'string' && typeof other === 'string' && (hasSurrogate(one) || hasSurrogate(other))) {
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  }
  return one < other ? -1 : 1;
}

const hasSurrogate = (text: string): boolean => /[\uD800-\uDFFF]/.test(text);
