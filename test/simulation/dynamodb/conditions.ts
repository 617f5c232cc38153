import { unknownToModel } from './errors.ts';
import { type Operand, operandFrom, type Path, pathFrom, remembering, resolved, type Scope } from './expressions.ts';
import type { Tokens } from './tokens.ts';
import { compare, type Item, isSame, type Value } from './values.ts';

export const comparators = ['=', '<', '<=', '>', '>='] as const;
export type Comparator = (typeof comparators)[number];

export type Condition =
  | { readonly kind: 'or' | 'and'; readonly parts: readonly Condition[] }
  | { readonly kind: 'exists' | 'missing'; readonly path: Path }
  | { readonly kind: 'prefix'; readonly of: Operand; readonly prefix: Operand }
  | { readonly kind: 'compare'; readonly by: Comparator; readonly left: Operand; readonly right: Operand };

/** `OR` binds less than `AND`, and both less than a comparison. */
export const conditionFrom = remembering(anyOf);

function anyOf(tokens: Tokens): Condition {
  return joined('or', 'OR', allOf, tokens);
}

function allOf(tokens: Tokens): Condition {
  return joined('and', 'AND', single, tokens);
}

function joined(kind: 'or' | 'and', word: string, part: (tokens: Tokens) => Condition, tokens: Tokens): Condition {
  const parts = [part(tokens)];
  while (tokens.takes(word)) parts.push(part(tokens));
  const [only] = parts;
  return only && parts.length === 1 ? only : { kind, parts };
}

function single(tokens: Tokens): Condition {
  if (tokens.takes('(')) {
    const inner = anyOf(tokens);
    tokens.must(')');
    return inner;
  }
  const name = tokens.takesFunction();
  return name === undefined ? comparison(tokens) : functionCall(name, tokens);
}

function functionCall(name: string, tokens: Tokens): Condition {
  const condition = withArguments(name, tokens);
  tokens.must(')');
  return condition;
}

function withArguments(name: string, tokens: Tokens): Condition {
  switch (name) {
    case 'attribute_exists':
      return { kind: 'exists', path: pathFrom(tokens) };
    case 'attribute_not_exists':
      return { kind: 'missing', path: pathFrom(tokens) };
    case 'begins_with': {
      const of = operandFrom(tokens);
      tokens.must(',');
      return { kind: 'prefix', of, prefix: operandFrom(tokens) };
    }
    default:
      throw unknownToModel(`the function ${name} of conditions`);
  }
}

function comparison(tokens: Tokens): Condition {
  const left = operandFrom(tokens);
  const by = comparators.find((each) => tokens.takes(each));
  if (by === undefined) throw tokens.unknown();
  return { kind: 'compare', by, left, right: operandFrom(tokens) };
}

export type Test = (item: Item | undefined) => boolean;

/** The condition as a question about an item, or about there being none. */
export function testOf(condition: Condition, scope: Scope): Test {
  switch (condition.kind) {
    case 'or': {
      const parts = condition.parts.map((part) => testOf(part, scope));
      return (item) => parts.some((part) => part(item));
    }
    case 'and': {
      const parts = condition.parts.map((part) => testOf(part, scope));
      return (item) => parts.every((part) => part(item));
    }
    case 'exists':
    case 'missing': {
      const value = resolved({ kind: 'path', path: condition.path }, scope);
      const wanted = condition.kind === 'exists';
      return (item) => (value(item) !== undefined) === wanted;
    }
    case 'prefix': {
      const [of, prefix] = [resolved(condition.of, scope), resolved(condition.prefix, scope)];
      return (item) => hasPrefix(of(item), prefix(item));
    }
    case 'compare': {
      const [left, right] = [resolved(condition.left, scope), resolved(condition.right, scope)];
      return (item) => holds(condition.by, left(item), right(item));
    }
  }
}

function hasPrefix(of: Value | undefined, prefix: Value | undefined): boolean {
  if (typeof prefix !== 'string') throw unknownToModel('begins_with of anything but a string');
  return typeof of === 'string' && of.startsWith(prefix);
}

/** What is missing, or of another type, compares with nothing. */
export function holds(by: Comparator, left: Value | undefined, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  if (by === '=') return isSame(left, right);
  const bothText = typeof left === 'string' && typeof right === 'string';
  const bothNumbers = typeof left === 'number' && typeof right === 'number';
  if (!bothText && !bothNumbers) return false;
  const order = compare<string | number>(left, right);
  return by === '<' ? order < 0 : by === '<=' ? order <= 0 : by === '>' ? order > 0 : order >= 0;
}

/** The attributes that a condition looks at. */
export function attributesIn(condition: Condition, scope: Scope): string[] {
  const nameOf = (operand: Operand) => (operand.kind === 'path' ? scope.path(operand.path).slice(0, 1) : []);
  switch (condition.kind) {
    case 'or':
    case 'and':
      return condition.parts.flatMap((part) => attributesIn(part, scope));
    case 'exists':
    case 'missing':
      return scope.path(condition.path).slice(0, 1);
    case 'prefix':
      return [condition.of, condition.prefix].flatMap(nameOf);
    case 'compare':
      return [condition.left, condition.right].flatMap(nameOf);
  }
}
