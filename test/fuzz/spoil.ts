import type { Random } from './random.ts';

type Json = unknown;

const strange = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e',
  '\u2028',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '1e3',
  '../..',
];

/** What stands where something else was asked for. `bounds` are those of the document. */
function junk(random: Random, bounds: readonly number[]): Json {
  const bound = random.pick([...bounds, 20, 32, 255]);
  const nested = (depth: number): Json => (depth === 0 ? 1 : random.chance(0.5) ? [nested(depth - 1)] : { a: nested(depth - 1) });
  return random.pick<() => Json>([
    () => null,
    () => random.chance(0.5),
    () => random.pick([0, -1, 1.5, 0.1, -0.5, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e21, 1e308, -1e308, 5e-324]),
    () => bound + random.pick([-1, 0, 1, 0.5]),
    () => -bound,
    () => String(bound),
    () => random.pick(strange),
    () => 'x'.repeat(Math.min(Math.abs(bound), 5_000) + random.int(2)),
    () => [],
    () => ({}),
    () => [random.pick(strange)],
    () => ({ [random.pick(['$ref', '__proto__', 'length', 'toString', 'S', '$gt'])]: random.pick(strange) }),
    () => nested(2 + random.int(60)),
  ])();
}

const unknownNames = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'priceMinor',
  'id',
  'PK',
  '',
  'a.b',
  '\u0000',
  '\ud800',
  'x'.repeat(300),
];

/** An own member of that name, whatever it is called. */
function withMember(object: Readonly<Record<string, Json>>, name: string, value: Json): Record<string, Json> {
  return Object.fromEntries([...Object.entries(object).filter(([each]) => each !== name), [name, value]]);
}

/** The value with one thing about it changed, somewhere. */
export function spoiled(value: Json, random: Random, bounds: readonly number[]): Json {
  const here = random.chance(0.25);
  if (Array.isArray(value)) {
    if (!here && value.length > 0) {
      const at = random.int(value.length);
      return value.map((each, index) => (index === at ? spoiled(each, random, bounds) : each));
    }
    return random.pick<() => Json>([
      () => [],
      () => [...value, ...value],
      () => Array.from({ length: random.pick([20, 21, 50, 51, 500]) }, () => value[0] ?? null),
      () => [...value, junk(random, bounds)],
      () => value.slice(1),
      () => junk(random, bounds),
    ])();
  }
  if (typeof value === 'object' && value !== null) {
    const object = value as Readonly<Record<string, Json>>;
    const names = Object.keys(object);
    const name = names.length === 0 ? '' : random.pick(names);
    if (!here && names.length > 0) return withMember(object, name, spoiled(object[name], random, bounds));
    return random.pick<() => Json>([
      () => Object.fromEntries(Object.entries(object).filter(([each]) => each !== name)),
      () => withMember(object, random.pick(unknownNames), junk(random, bounds)),
      () => withMember(object, name.toUpperCase(), object[name]),
      () => [object],
      () => junk(random, bounds),
      () => withMember(object, name, null),
    ])();
  }
  if (typeof value === 'string' && random.chance(0.4)) {
    const at = random.int(value.length + 1);
    return value.slice(0, at) + random.pick([...strange, '|', '#', '%', ',', '/', '\n', 'é']) + value.slice(at);
  }
  if (typeof value === 'number' && random.chance(0.4))
    return random.pick([-value, value + 0.5, value * 1e6, value - 1, value + 1, String(value)]);
  return junk(random, bounds);
}

const bytesOf = (text: string) => Buffer.from(text, 'utf8');
const badUtf8 = [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xfe, 0xff]];

/** The text of a JSON body with its form spoiled: cut, padded, doubled, in another encoding, or with what only looks like JSON. */
export function mangled(text: string, random: Random): Buffer {
  const at = random.int(text.length + 1);
  const insert = (bytes: Uint8Array) => Buffer.concat([bytesOf(text.slice(0, at)), bytes, bytesOf(text.slice(at))]);
  const number = (literal: string) => bytesOf(text.replace(/(?<=[:[,])-?\d+(?=[,}\]])/, literal));
  return random.pick<() => Buffer>([
    () => bytesOf(text.slice(0, at)),
    () => insert(Buffer.from(random.pick(badUtf8))),
    () => bytesOf(text.replace(/(?<=")[^"]*(?="[,}\]])/, (each) => `${each}\u0000`)),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytesOf(text)]),
    () => Buffer.from(text, 'utf16le'),
    () => insert(Buffer.from([0])),
    () => bytesOf(`${text}${text}`),
    () => bytesOf(text.replace(/[}\]]$/, ',$&')),
    () => bytesOf(text.replaceAll('"', "'")),
    () => bytesOf(`// so\n${text}`),
    () =>
      number(
        random.pick([
          '-0',
          '1e400',
          '-1e400',
          '1E2',
          '0x10',
          '01',
          '1.0',
          '+1',
          'NaN',
          'Infinity',
          '9'.repeat(400),
          '1e-400',
          '20.000000000000000001',
        ]),
      ),
    // A member twice: the last one counts.
    () =>
      bytesOf(
        text.replace(/^\{("[^"]*"):/, (whole, name: string) => `{${name}:${random.pick(['null', '1', '"x"', '{}'])},${whole.slice(1)}`),
      ),
    () => bytesOf(text.replace(/^\{/, '{"__proto__":{"mayOperate":true},')),
    () => bytesOf('['.repeat(random.pick([100, 3_000, 8_000]))),
    () => bytesOf(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`),
    () => bytesOf(`${' '.repeat(random.pick([100, 8_192, 9_000]))}${text}`),
    () => bytesOf(JSON.stringify({ a: 'x'.repeat(random.pick([8_181, 8_184, 8_185, 20_000])) })),
    () => Buffer.alloc(0),
    () => bytesOf(random.pick(['null', 'true', '1', '""', '[]', '{}', '"\\ud800"', '{"":""}', 'undefined', '\u2028{}'])),
    () =>
      bytesOf(
        text.replace(
          /"([^"]+)":/,
          (_, name: string) => `"${[...name].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}":`,
        ),
      ),
  ])();
}
