import { refusedAsInvalid, refusedByTable, unknownToModel } from './errors.ts';
import { type Operand, operandFrom, type Path, pathFrom, remembering, resolved, type Scope, valueAt } from './expressions.ts';
import type { Tokens } from './tokens.ts';
import { type Item, isMapValue, type Value } from './values.ts';

type Sum = { readonly first: Operand; readonly sign?: '+' | '-'; readonly second?: Operand };

interface Update {
  readonly set: readonly { readonly path: Path; readonly to: Sum }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: Operand }[];
}

const clauses = ['SET', 'REMOVE', 'ADD'] as const;

/** Each clause once, in any order. */
const updateFrom = remembering((tokens): Update => {
  const found = new Map<string, unknown[]>();
  while (tokens.next) {
    const clause = clauses.find((each) => tokens.takes(each));
    if (clause === undefined) throw tokens.unknown();
    if (found.has(clause)) throw refusedAsInvalid(`The "${clause}" section can only be used once in an update expression;`);
    const actions: unknown[] = [];
    do actions.push(actionOf[clause](tokens));
    while (tokens.takes(','));
    found.set(clause, actions);
  }
  return { set: found.get('SET') ?? [], remove: found.get('REMOVE') ?? [], add: found.get('ADD') ?? [] } as unknown as Update;
});

const actionOf: Record<(typeof clauses)[number], (tokens: Tokens) => unknown> = {
  SET(tokens): Update['set'][number] {
    const path = pathFrom(tokens);
    tokens.must('=');
    return { path, to: sumFrom(tokens) };
  },
  REMOVE: (tokens): Path => pathFrom(tokens),
  ADD: (tokens): Update['add'][number] => ({ path: pathFrom(tokens), value: operandFrom(tokens) }),
};

function sumFrom(tokens: Tokens): Sum {
  const name = tokens.takesFunction();
  if (name !== undefined) throw unknownToModel(`the function ${name} of updates`);
  const first = operandFrom(tokens);
  const sign = (['+', '-'] as const).find((each) => tokens.takes(each));
  return sign === undefined ? { first } : { first, sign, second: operandFrom(tokens) };
}

/** Gives the attributes after an update of those before; `isNew`: there is no item yet but for its key. Throws a refusal where it cannot be done. */
export type Change = (before: Item, isNew: boolean) => Item;

interface Step {
  readonly path: readonly string[];
  /** The value to be put there; undefined takes away what is there. */
  readonly next: (before: Item) => Value | undefined;
}

/** The update with its placeholders resolved. `keys`: attributes that no update may touch. */
export function changeOf(expression: string, scope: Scope, keys: readonly string[]): Change {
  const { set, remove, add } = updateFrom(expression);
  const steps: Step[] = [
    ...set.map(({ path, to }) => ({ path: scope.path(path), next: assigned(to, scope) })),
    ...remove.map((path) => ({ path: scope.path(path), next: () => undefined })),
    ...add.map(({ path, value }) => added(scope.path(path), value, scope)),
  ];
  checkPaths(
    steps.map(({ path }) => path),
    keys,
  );
  // Every operand is of the item as it was, whatever the steps before it did.
  return (before, isNew) => {
    const values = steps.map(({ next }) => next(before));
    return steps.reduce((item, { path }, index) => {
      const value = values[index];
      // Of an item that is not there anything may be taken away; of one that is, nothing within what it does not have.
      return isNew && value === undefined ? item : withValueAt(item, path, value);
    }, before);
  };
}

function checkPaths(paths: readonly (readonly string[])[], keys: readonly string[]): void {
  for (const [index, path] of paths.entries()) {
    if (keys.includes(path[0] ?? '')) {
      throw refusedByTable(
        `One or more parameter values were invalid: Cannot update attribute ${path[0]}. This attribute is part of the key`,
      );
    }
    const doOverlap = (other: readonly string[]) => other.every((name, at) => at >= path.length || name === path[at]);
    if (paths.slice(0, index).some(doOverlap)) throw refusedAsInvalid('Two document paths overlap with each other');
  }
}

function assigned({ first, sign, second }: Sum, scope: Scope): Step['next'] {
  const operand = (given: Operand) => {
    const value = resolved(given, scope);
    return (before: Item) => {
      const found = value(before);
      if (found === undefined) throw refusedByTable('The provided expression refers to an attribute that does not exist in the item');
      return found;
    };
  };
  const left = operand(first);
  if (sign === undefined || second === undefined) return left;
  const right = operand(second);
  return (before) => sumOf(left(before), right(before), sign);
}

function added(path: readonly string[], value: Operand, scope: Scope): Step {
  if (value.kind !== 'value') throw refusedAsInvalid('Syntax error; ADD takes a value');
  const amount = scope.value(value.name);
  if (typeof amount !== 'number') throw unknownToModel('ADD of anything but a number');
  return { path, next: (before) => sumOf(valueAt(before, path) ?? 0, amount, '+') };
}

function sumOf(left: Value, right: Value, sign: '+' | '-'): number {
  if (typeof left !== 'number' || typeof right !== 'number') {
    throw refusedByTable('An operand in the update expression has an incorrect data type');
  }
  const sum = sign === '+' ? left + right : left - right;
  // DynamoDB counts in decimals, and this does not.
  if (![left, right, sum].every(Number.isSafeInteger)) throw unknownToModel(`sums such as ${left} ${sign} ${right}`);
  return sum === 0 ? 0 : sum;
}

function withValueAt(item: Item, [name = '', ...inwards]: readonly string[], value: Value | undefined): Item {
  if (inwards.length > 0) {
    const inner = item[name];
    if (!isMapValue(inner)) throw refusedByTable('The document path provided in the update expression is invalid for update');
    return { ...item, [name]: withValueAt(inner, inwards, value) };
  }
  if (value !== undefined) return { ...item, [name]: value };
  const { [name]: _, ...rest } = item;
  return rest;
}
