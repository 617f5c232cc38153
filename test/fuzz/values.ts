import type { Resolve, Schema } from './json-schema.ts';
import type { Random } from './random.ts';

/** Values that mean something here, by the name of the member or parameter that they are for. Undefined where nothing is known by that name. */
export type Wells = (name: string) => unknown;

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
export const word = (random: Random, length: number): string => Array.from({ length }, () => letters[random.int(letters.length)]).join('');

/** A text for each pattern that the document has: patterns are not turned round here. One without an entry fails the run. */
const forPatterns: Readonly<Record<string, (random: Random) => string>> = {
  '^[\\x21-\\x7e]{1,255}$': (random) => `id#${word(random, 12)}`,
  '^[A-Za-z0-9._-]{1,64}$': (random) => `f.${word(random, 10)}`,
  '^[A-Za-z0-9._-]{1,32}$': (random) => `${word(random, 1)}-${random.int(1_000)}`,
  '^ord_[A-Za-z0-9_-]{22}$': (random) => `ord_${word(random, 22)}`,
  '^[A-Za-z0-9_-]{44}$': (random) => word(random, 44),
  '^[A-Z]{3}$': (random) => random.pick(['EUR', 'USD', 'XXX']),
};

const hourMs = 3_600_000;
const moment = (random: Random): string => new Date(Date.now() + (random.int(4_000) - 2_000) * hourMs).toISOString();
/** Text that people write, and that programs stumble over. */
const phrases = [
  'Launch day',
  'Grüße, 東京 🎟️',
  'O’Brien & “Söhne” <b>',
  "Robert'); DROP TABLE sales;--",
  '{{7*7}} #{7*7} %s %n',
  'ａｂｃ',
  '­x​y',
];

function text(schema: Schema, random: Random): string {
  if (schema.pattern !== undefined) {
    const make = forPatterns[schema.pattern];
    if (!make) throw new Error(`no text is known for the pattern ${schema.pattern}: give it an entry in test/fuzz/values.ts`);
    return make(random);
  }
  if (schema.format === 'date-time') return moment(random);
  if (schema.format === 'uri') return `https://shop.example/${word(random, 8)}.jpg`;
  const { minLength = 0, maxLength = 200 } = schema;
  const wish = random.chance(0.05) ? 'x'.repeat(Math.min(maxLength, 2_000)) : `${random.pick(phrases)} ${word(random, 4)}`;
  return wish.slice(0, maxLength).padEnd(minLength, 'x');
}

function whole({ minimum = 0, maximum = 1_000_000 }: Schema, random: Random): number {
  if (random.chance(0.1)) return random.pick([minimum, Math.min(maximum, 1_000_000)]);
  return Math.min(maximum, minimum + random.int(Math.min(maximum - minimum, 50) + 1));
}

/** A value that fits the schema, of moderate size, with what the wells know wherever they know something. */
export function valueFor(schema: Schema, random: Random, resolve: Resolve, wells: Wells, name = ''): unknown {
  if (schema.$ref !== undefined) return valueFor({ ...resolve(schema.$ref), ...withoutReference(schema) }, random, resolve, wells, name);
  const known = wells(name);
  if (known !== undefined) return known;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return random.pick(schema.enum);
  if (schema.anyOf) return valueFor(random.pick(schema.anyOf), random, resolve, wells, name);
  const type = Array.isArray(schema.type) ? random.pick(schema.type as string[]) : schema.type;
  if (type === 'object') return objectFor(schema, random, resolve, wells);
  if (type === 'array') {
    const { minItems = 0, maxItems = 3, items = {} } = schema;
    const count = Math.max(minItems, Math.min(maxItems, 1 + random.int(3)));
    return Array.from({ length: count }, () => valueFor(items, random, resolve, wells, name));
  }
  if (type === 'integer' || type === 'number') return whole(schema, random);
  if (type === 'boolean') return random.chance(0.5);
  if (type === 'null') return null;
  return type === 'string' ? text(schema, random) : {};
}

const withoutReference = ({ $ref: _, ...others }: Schema): Schema => others;

function objectFor(schema: Schema, random: Random, resolve: Resolve, wells: Wells): Record<string, unknown> {
  const required = new Set(schema.required);
  // Of alternatives that ask for different members, one is kept to.
  const alternatives = (schema.oneOf ?? []).map((each) => each.required ?? []);
  const chosen = alternatives.length === 0 ? [] : random.pick(alternatives);
  const avoided = new Set(alternatives.flat().filter((name) => !chosen.includes(name)));
  const object: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    if (avoided.has(name)) continue;
    const isThere = required.has(name) || chosen.includes(name) || random.chance(0.4);
    if (isThere) object[name] = valueFor(member, random, resolve, wells, name);
  }
  return object;
}
