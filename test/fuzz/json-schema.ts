/** A schema of the OpenAPI document, as far as the document uses the language (JSON Schema 2020-12). */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly default?: unknown;
}

/** The document says something that is not checked here: better to fail than to overlook it. */
export class UnknownKeyword extends Error {
  override readonly name = 'UnknownKeyword';
}

export type Resolve = (reference: string) => Schema;

const annotations = new Set(['description', 'example', 'examples', 'default', 'title', 'deprecated', '$schema', 'id']);
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text) => URL.canParse(text),
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

const hasType = (value: unknown, type: string): boolean =>
  type === 'integer' ? Number.isSafeInteger(value) : typeOf(value) === type && (type !== 'number' || Number.isFinite(value));

const patterns = new Map<string, RegExp>();
function matches(pattern: string, text: string): boolean {
  const known = patterns.get(pattern) ?? new RegExp(pattern, 'u');
  patterns.set(pattern, known);
  return known.test(text);
}

type Rule = (wanted: never, value: unknown, schema: Schema, at: string, resolve: Resolve) => string | undefined;
const rule = <Wanted>(check: (wanted: Wanted, value: unknown, schema: Schema, at: string, resolve: Resolve) => string | undefined): Rule =>
  check as Rule;
const ofNumbers = (word: string, holds: (value: number, bound: number) => boolean) =>
  rule<number>((bound, value, _, at) =>
    typeof value !== 'number' || holds(value, bound) ? undefined : `${at}: ${value} is not ${word} ${bound}`,
  );
const ofSizes = (word: string, sizeOf: (value: unknown) => number | undefined, holds: (size: number, bound: number) => boolean) =>
  rule<number>((bound, value, _, at) => {
    const size = sizeOf(value);
    return size === undefined || holds(size, bound) ? undefined : `${at}: ${size} is ${word} ${bound}`;
  });
const lengthOf = (value: unknown) => (typeof value === 'string' ? value.length : undefined);
const countOf = (value: unknown) => (Array.isArray(value) ? value.length : undefined);
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

const rules: Readonly<Record<string, Rule>> = {
  $ref: rule<string>((reference, value, _, at, resolve) => faultOf(resolve(reference), value, resolve, at)),
  type: rule<string | readonly string[]>((wanted, value, _, at) =>
    [wanted].flat().some((type) => hasType(value, type)) ? undefined : `${at}: is ${typeOf(value)}, not ${[wanted].flat().join(' or ')}`,
  ),
  properties: rule<Readonly<Record<string, Schema>>>((properties, value, _, at, resolve) => {
    if (!isObject(value)) return undefined;
    for (const [name, schema] of Object.entries(properties)) {
      const fault = Object.hasOwn(value, name) ? faultOf(schema, value[name], resolve, `${at}.${name}`) : undefined;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }),
  required: rule<readonly string[]>((names, value, _, at) => {
    const missing = isObject(value) ? names.find((name) => !Object.hasOwn(value, name)) : undefined;
    return missing === undefined ? undefined : `${at}: lacks ${missing}`;
  }),
  additionalProperties: rule<boolean | Schema>((others, value, { properties = {} }, at, resolve) => {
    if (!isObject(value) || others === true) return undefined;
    for (const name of Object.keys(value).filter((each) => !Object.hasOwn(properties, each))) {
      if (others === false) return `${at}: has ${JSON.stringify(name)} besides`;
      const fault = faultOf(others as Schema, value[name], resolve, `${at}.${name}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }),
  propertyNames: rule<Schema>((names, value, _, at, resolve) =>
    isObject(value)
      ? Object.keys(value)
          .map((name) => faultOf(names, name, resolve, at))
          .find((fault) => fault !== undefined)
      : undefined,
  ),
  items: rule<Schema>((schema, value, _, at, resolve) => {
    for (const [index, each] of Array.isArray(value) ? value.entries() : []) {
      const fault = faultOf(schema, each, resolve, `${at}.${index}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }),
  enum: rule<readonly unknown[]>((words, value, _, at) =>
    words.some((word) => same(word, value)) ? undefined : `${at}: ${JSON.stringify(value)} is none of ${words.join(', ')}`,
  ),
  const: rule<unknown>((wanted, value, _, at) => (same(wanted, value) ? undefined : `${at}: is not ${JSON.stringify(wanted)}`)),
  oneOf: rule<readonly Schema[]>((schemas, value, _, at, resolve) => {
    const fitting = schemas.filter((schema) => faultOf(schema, value, resolve, at) === undefined).length;
    return fitting === 1 ? undefined : `${at}: fits ${fitting} of oneOf`;
  }),
  anyOf: rule<readonly Schema[]>((schemas, value, _, at, resolve) => {
    const faults = schemas.map((schema) => faultOf(schema, value, resolve, at));
    return faults.includes(undefined) ? undefined : `${at}: fits none of anyOf (${faults.join('; ')})`;
  }),
  minimum: ofNumbers('at least', (value, bound) => value >= bound),
  maximum: ofNumbers('at most', (value, bound) => value <= bound),
  exclusiveMinimum: ofNumbers('more than', (value, bound) => value > bound),
  minLength: ofSizes('shorter than', lengthOf, (size, bound) => size >= bound),
  maxLength: ofSizes('longer than', lengthOf, (size, bound) => size <= bound),
  minItems: ofSizes('fewer than', countOf, (size, bound) => size >= bound),
  maxItems: ofSizes('more than', countOf, (size, bound) => size <= bound),
  pattern: rule<string>((pattern, value, _, at) =>
    typeof value !== 'string' || matches(pattern, value)
      ? undefined
      : `${at}: ${JSON.stringify(value).slice(0, 80)} does not match ${pattern}`,
  ),
  format: rule<string>((format, value, _, at) => {
    const isFormat = formats[format];
    if (!isFormat) throw new UnknownKeyword(`format ${format}`);
    return typeof value !== 'string' || isFormat(value) ? undefined : `${at}: ${JSON.stringify(value).slice(0, 80)} is no ${format}`;
  }),
};

/** Where a value first differs from its schema, in words; undefined when it fits. Throws `UnknownKeyword` for what it can't check. */
export function faultOf(schema: Schema, value: unknown, resolve: Resolve, at = 'value'): string | undefined {
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (annotations.has(keyword) || wanted === undefined) continue;
    const check = rules[keyword];
    if (!check) throw new UnknownKeyword(keyword);
    const fault = check(wanted as never, value, schema, at, resolve);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
