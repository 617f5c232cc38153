import { refusedAsInvalid, unknownToModel } from './errors.ts';
import { reservedWords } from './reserved-words.ts';
import { Tokens } from './tokens.ts';
import { type Item, isMapValue, type Stored, storedValue, type Value } from './values.ts';

/** A document path: names from the item inwards, some of them by alias. */
export type Path = readonly string[];

export type Operand = { readonly kind: 'path'; readonly path: Path } | { readonly kind: 'value'; readonly name: string };

/** Words of the grammar: where a path should be, something stands that is still to be learned. */
const operators: ReadonlySet<string> = new Set(['ADD', 'AND', 'BETWEEN', 'DELETE', 'IN', 'NOT', 'OR', 'REMOVE', 'SET']);

/** Reads `cancellation.doneAtMs` or `#version`. */
export function pathFrom(tokens: Tokens): Path {
  const path: string[] = [];
  do {
    const token = tokens.take();
    if (token.kind !== 'name' && token.kind !== 'alias') throw tokens.unknown();
    if (token.kind === 'name' && operators.has(token.text.toUpperCase())) throw tokens.unknown();
    if (token.kind === 'name' && reservedWords.has(token.text.toUpperCase())) {
      throw refusedAsInvalid(`Attribute name is a reserved keyword; reserved keyword: ${token.text}`);
    }
    path.push(token.text);
  } while (tokens.takes('.'));
  return path;
}

export function operandFrom(tokens: Tokens): Operand {
  if (tokens.next?.kind === 'value') return { kind: 'value', name: tokens.take().text };
  return { kind: 'path', path: pathFrom(tokens) };
}

const parsedMax = 5_000;

/** A parser that remembers what it has parsed: the code sends the same few expressions over and over. */
export function remembering<Parsed>(parse: (tokens: Tokens) => Parsed): (text: string) => Parsed {
  const known = new Map<string, Parsed>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const tokens = new Tokens(text);
    const parsed = parse(tokens);
    tokens.end();
    if (known.size >= parsedMax) known.clear();
    known.set(text, parsed);
    return parsed;
  };
}

export interface Placeholders {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/** The names and values that the expressions of one call stand for. What is given and not used refuses the call, as does what is not given. */
export class Scope {
  readonly #names: Record<string, string>;
  readonly #given: Record<string, unknown>;
  readonly #values = new Map<string, Stored>();
  readonly #usedNames = new Set<string>();

  constructor({ ExpressionAttributeNames = {}, ExpressionAttributeValues = {} }: Placeholders) {
    this.#names = ExpressionAttributeNames;
    this.#given = ExpressionAttributeValues;
  }

  /** The value behind `:name`. */
  value(name: string): Value {
    const known = this.#values.get(name);
    if (known) return known.value;
    const given = this.#given[name];
    if (given === undefined)
      throw refusedAsInvalid(`An expression attribute value used in expression is not defined; attribute value: ${name}`);
    const read = storedValue(given);
    this.#values.set(name, read);
    return read.value;
  }

  /** The attribute that a part of a path names. */
  name(part: string): string {
    if (!part.startsWith('#')) return part;
    const name = this.#names[part];
    if (name === undefined)
      throw refusedAsInvalid(`An expression attribute name used in the document path is not defined; attribute name: ${part}`);
    this.#usedNames.add(part);
    return name;
  }

  path(path: Path): string[] {
    return path.map((part) => this.name(part));
  }

  /** To be asked once all expressions of the call have been resolved. */
  checkAllUsed(): void {
    const name = Object.keys(this.#names).find((each) => !this.#usedNames.has(each));
    if (name !== undefined) throw refusedAsInvalid(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${name}}`);
    const value = Object.keys(this.#given).find((each) => this.#given[each] !== undefined && !this.#values.has(each));
    if (value !== undefined) throw refusedAsInvalid(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${value}}`);
  }
}

/** What stands at a path of an item, if anything does. */
export function valueAt(item: Item | undefined, path: readonly string[]): Value | undefined {
  let at: Value | undefined = item;
  for (const name of path) at = isMapValue(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

/** An operand with its placeholders resolved: asked of an item, it gives its value. */
export function resolved(operand: Operand, scope: Scope): (item: Item | undefined) => Value | undefined {
  if (operand.kind === 'value') {
    const value = scope.value(operand.name);
    return () => value;
  }
  const path = scope.path(operand.path);
  return (item) => valueAt(item, path);
}

const pathsFrom = remembering((tokens) => {
  const paths: Path[] = [];
  do paths.push(pathFrom(tokens));
  while (tokens.takes(','));
  return paths;
});

/** The attributes that a projection names. */
export function projectedBy(expression: string, scope: Scope): string[] {
  return pathsFrom(expression).map((path) => {
    const [name, ...inwards] = scope.path(path);
    if (name === undefined || inwards.length > 0) throw unknownToModel('projections of parts of an attribute');
    return name;
  });
}
