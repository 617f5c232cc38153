import { UnsupportedTemplate } from './intrinsics.ts';

/** Whether an event matches a pattern. */
export type Matcher = (event: Readonly<Record<string, unknown>>) => boolean;

/** What one field's value must be; `undefined` stands for a field that is not there. */
type Test = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Compiles an EventBridge event pattern (which Lambda's event filters share). Fields are joined by AND, the values of one field by OR, an
 * array in the event matches when one of its elements does. Source of the rules: "Comparison operators for use in event patterns" in the
 * EventBridge user guide. Throws `UnsupportedTemplate`, naming the operator, for one that is not known here.
 */
export function compilePattern(pattern: unknown, place: string): Matcher {
  if (!isRecord(pattern) || Object.keys(pattern).length === 0)
    throw new UnsupportedTemplate(`${place}: an event pattern is an object with fields`);
  const fields = Object.entries(pattern).map(([name, wanted]) => {
    if (name === '$or') return anyOf(wanted, place);
    return Array.isArray(wanted) ? leaf(name, wanted, place) : inside(name, wanted, place);
  });
  return (event) => fields.every((matches) => matches(event));
}

function anyOf(alternatives: unknown, place: string): Matcher {
  if (!Array.isArray(alternatives) || alternatives.length === 0) throw new UnsupportedTemplate(`${place}: $or takes a list of patterns`);
  const matchers = alternatives.map((each) => compilePattern(each, place));
  return (event) => matchers.some((matches) => matches(event));
}

function inside(name: string, pattern: unknown, place: string): Matcher {
  const matches = compilePattern(pattern, `${place}.${name}`);
  // A missing object is an empty one: `exists: false` inside it holds.
  return (event) => elementsOf(event[name]).some((value) => matches(isRecord(value) ? value : {}));
}

function leaf(name: string, wanted: readonly unknown[], place: string): Matcher {
  const tests = wanted.map((each) => compileTest(each, `${place}.${name}`));
  return (event) => {
    // Neither objects nor an empty list are values: such a field is not there, as far as patterns go.
    const values = elementsOf(event[name]).filter((value) => !isRecord(value));
    return tests.some((test) => values.some(test));
  };
}

const elementsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) && value.length > 0 ? value : [Array.isArray(value) ? undefined : value];

const operators: Readonly<Record<string, (operand: unknown, place: string) => Test>> = {
  prefix: (operand, place) => affix(operand, place, (value, part) => value.startsWith(part)),
  suffix: (operand, place) => affix(operand, place, (value, part) => value.endsWith(part)),
  'equals-ignore-case': (operand, place) => {
    const wanted = text(operand, place).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  exists: (operand, place) => {
    if (typeof operand !== 'boolean') throw new UnsupportedTemplate(`${place}: exists takes true or false`);
    return (value) => (value !== undefined) === operand;
  },
  numeric: (operand, place) => numeric(operand, place),
  'anything-but': (operand, place) => {
    const refused = (Array.isArray(operand) ? operand : [operand]).map((each) => compileTest(each, place));
    return (value) => value !== undefined && !refused.some((test) => test(value));
  },
};

function compileTest(wanted: unknown, place: string): Test {
  if (!isRecord(wanted)) {
    if (Array.isArray(wanted)) throw new UnsupportedTemplate(`${place}: a list inside a list`);
    return (value) => value === wanted;
  }
  const [name, ...others] = Object.keys(wanted);
  const compile = name !== undefined && others.length === 0 && Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (!compile)
    throw new UnsupportedTemplate(`${place}: this runtime does not know the operator ${Object.keys(wanted).join(', ') || '{}'}`);
  return compile(wanted[name ?? ''], place);
}

function affix(operand: unknown, place: string, has: (value: string, part: string) => boolean): Test {
  if (isRecord(operand)) {
    const { 'equals-ignore-case': part, ...rest } = operand;
    if (part === undefined || Object.keys(rest).length > 0)
      throw new UnsupportedTemplate(`${place}: this runtime does not know ${JSON.stringify(operand)}`);
    const wanted = text(part, place).toLowerCase();
    return (value) => typeof value === 'string' && has(value.toLowerCase(), wanted);
  }
  const part = text(operand, place);
  return (value) => typeof value === 'string' && has(value, part);
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** `["=", 5]` or a range, `[">", 0, "<=", 5]`. */
function numeric(operand: unknown, place: string): Test {
  const bounds = Array.isArray(operand) && (operand.length === 2 || operand.length === 4) ? operand : [];
  const checks: ((value: number) => boolean)[] = [];
  for (let at = 0; at < bounds.length; at += 2) {
    const compare = comparisons[String(bounds[at])];
    const bound: unknown = bounds[at + 1];
    if (!compare || typeof bound !== 'number')
      throw new UnsupportedTemplate(`${place}: numeric ${JSON.stringify(operand)} is not understood`);
    checks.push((value) => compare(value, bound));
  }
  if (checks.length === 0) throw new UnsupportedTemplate(`${place}: numeric ${JSON.stringify(operand)} is not understood`);
  return (value) => typeof value === 'number' && checks.every((check) => check(value));
}

function text(value: unknown, place: string): string {
  if (typeof value !== 'string') throw new UnsupportedTemplate(`${place}: a string was expected, not ${JSON.stringify(value)}`);
  return value;
}
