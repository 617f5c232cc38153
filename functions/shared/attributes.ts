/** DynamoDB's own form of an attribute's value: its type, and the value under it. */
export type Attribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly Attribute[] }
  | { readonly M: Attributes };
export type Attributes = Readonly<Record<string, Attribute>>;

/** A value that cannot be stored as it is, or one that is stored in a form that nothing of ours writes. */
export class NotAnAttribute extends Error {
  override readonly name = 'NotAnAttribute';
}

/**
 * An item in DynamoDB's form, as the SDK's document client writes it: members that are undefined are left out. Strings, finite numbers whose integers are
 * safe, booleans, null, lists and plain objects; throws `NotAnAttribute` for anything else, since nothing of ours stores it.
 */
export function marshalled(item: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Record<string, Attribute> = {};
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) attributes[name] = attributeOf(value);
  }
  return attributes;
}

function attributeOf(value: unknown): Attribute {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: numberText(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.filter((member) => member !== undefined).map(attributeOf) };
  if (isPlain(value)) return { M: marshalled(value) };
  throw new NotAnAttribute(`a ${typeof value} cannot be stored`);
}

function numberText(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new NotAnAttribute(`${value} is no number that can be kept`);
  return String(value);
}

const isPlain = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

/** An item as it was before it was stored. Throws `NotAnAttribute` for a type that nothing of ours writes, and for a number that would change. */
export function unmarshalled(attributes: Attributes): Record<string, unknown> {
  const item: Record<string, unknown> = {};
  for (const name in attributes) item[name] = storedValue(attributes[name] as Attribute);
  return item;
}

function storedValue(attribute: Attribute): unknown {
  if ('S' in attribute) return attribute.S;
  if ('N' in attribute) return numberOf(attribute.N);
  if ('BOOL' in attribute) return attribute.BOOL;
  if ('NULL' in attribute) return null;
  if ('L' in attribute) return attribute.L.map(storedValue);
  if ('M' in attribute) return unmarshalled(attribute.M);
  throw new NotAnAttribute(`nothing of ours is stored as ${Object.keys(attribute).join(', ')}`);
}

function numberOf(text: string): number {
  const value = Number(text);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new NotAnAttribute(`${text} is beyond what a number keeps`);
  return value;
}
