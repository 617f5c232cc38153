import * as z from 'zod';

const Resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

/** A synthesised CloudFormation template, as far as the embedded runtime reads one. */
export const Template = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), Resource),
  Outputs: z
    .record(
      z.string(),
      z.looseObject({ Value: z.unknown(), Condition: z.string().optional(), Export: z.object({ Name: z.unknown() }).optional() }),
    )
    .default({}),
});
export type Template = z.infer<typeof Template>;

export interface Stack {
  readonly name: string;
  readonly template: Template;
}

/** The template says something that this runtime can't do as AWS would. */
export class UnsupportedTemplate extends Error {
  override readonly name = 'UnsupportedTemplate';
}

export const account = '000000000000';
export const region = 'eu-central-1';

/** The function's own ARN, of one that names a version or an alias of it too. */
export const unqualified = (functionArn: string): string => functionArn.split(':').slice(0, 7).join(':');

const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Region': region,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/local`,
};

/** Stands for `AWS::NoValue`: what has it is as if it had not been written. */
const noValue = Symbol('AWS::NoValue');

export interface Scope {
  /** Values given for parameters, by name; others take their default. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What `Ref` (no attribute) and `Fn::GetAtt` of a resource give. */
  readonly attributeOf: (stack: Stack, logicalId: string, attribute: string | undefined) => unknown;
  /** What another stack exports under a name. */
  readonly importOf: (name: string) => unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Evaluates the intrinsic functions of one stack's template. Throws `UnsupportedTemplate`, naming the place, for a function that it does
 * not know and for a reference that leads nowhere.
 */
export class Resolver {
  readonly #stack: Stack;
  readonly #scope: Scope;
  readonly #functions: Readonly<Record<string, (argument: unknown, place: string) => unknown>>;

  constructor(stack: Stack, scope: Scope) {
    this.#stack = stack;
    this.#scope = scope;
    this.#functions = {
      Ref: (name, place) => this.#ref(String(name), place),
      'Fn::GetAtt': (argument, place) => this.#getAtt(argument, place),
      'Fn::Join': (argument, place) => {
        const [separator, parts] = this.#list(argument, place);
        return this.#list(parts, place).map(String).join(String(separator));
      },
      'Fn::Split': (argument, place) => {
        const [separator, text] = this.#list(argument, place);
        return String(text).split(String(separator));
      },
      'Fn::Select': (argument, place) => {
        const [index, choices] = this.#list(argument, place);
        const chosen = this.#list(choices, place)[Number(index)];
        if (chosen === undefined) throw new UnsupportedTemplate(`${place}: Fn::Select finds nothing at ${String(index)}`);
        return chosen;
      },
      'Fn::Sub': (argument, place) => this.#sub(argument, place),
      'Fn::If': (argument, place) => {
        if (!Array.isArray(argument) || argument.length !== 3) throw new UnsupportedTemplate(`${place}: Fn::If takes three values`);
        return this.#resolve(this.holds(String(argument[0])) ? argument[1] : argument[2], place);
      },
      'Fn::ImportValue': (name, place) => this.#scope.importOf(String(this.#resolve(name, place))),
      'Fn::Base64': (text, place) => Buffer.from(String(this.#resolve(text, place))).toString('base64'),
      'Fn::GetAZs': () => [`${region}a`, `${region}b`, `${region}c`],
      'Fn::FindInMap': (argument, place) => {
        const [map, first, second] = this.#list(argument, place).map(String);
        const found = this.#stack.template.Mappings[map ?? '']?.[first ?? '']?.[second ?? ''];
        if (found === undefined) throw new UnsupportedTemplate(`${place}: Fn::FindInMap finds nothing`);
        return found;
      },
      'Fn::Equals': (argument, place) => {
        const [left, right] = this.#list(argument, place);
        return String(left) === String(right);
      },
      'Fn::Not': (argument, place) => !this.#list(argument, place)[0],
      'Fn::And': (argument, place) => this.#list(argument, place).every(Boolean),
      'Fn::Or': (argument, place) => this.#list(argument, place).some(Boolean),
      Condition: (name) => this.holds(String(name)),
    };
  }

  /** The value with all its functions evaluated. `place` names it in errors. */
  resolve(value: unknown, place: string): unknown {
    const resolved = this.#resolve(value, place);
    return resolved === noValue ? undefined : resolved;
  }

  /** Whether a condition of the template holds. */
  holds(condition: string): boolean {
    if (!(condition in this.#stack.template.Conditions)) throw new UnsupportedTemplate(`${this.#stack.name}: no condition ${condition}`);
    return this.#resolve(this.#stack.template.Conditions[condition], `condition ${condition}`) === true;
  }

  #resolve(value: unknown, place: string): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#resolve(each, place)).filter((each) => each !== noValue);
    if (!isRecord(value)) return value;
    const [key, ...others] = Object.keys(value);
    const evaluate = key !== undefined && others.length === 0 && Object.hasOwn(this.#functions, key) ? this.#functions[key] : undefined;
    // An event pattern or a policy may have a member called `Condition`; only one with a condition's name is the function.
    const isFunction = evaluate && (key !== 'Condition' || String(value[key]) in this.#stack.template.Conditions);
    if (isFunction) return evaluate(value[key ?? ''], place);
    if (key?.startsWith('Fn::')) throw new UnsupportedTemplate(`${place}: this runtime does not know ${key}`);
    const entries = Object.entries(value).map(([name, each]) => [name, this.#resolve(each, place)] as const);
    return Object.fromEntries(entries.filter(([, each]) => each !== noValue));
  }

  #list(argument: unknown, place: string): unknown[] {
    const list = this.#resolve(argument, place);
    if (!Array.isArray(list)) throw new UnsupportedTemplate(`${place}: a list was expected`);
    return list;
  }

  #ref(name: string, place: string): unknown {
    if (name === 'AWS::NoValue') return noValue;
    if (name === 'AWS::StackName') return this.#stack.name;
    if (name in pseudoParameters) return pseudoParameters[name];
    const parameter = this.#stack.template.Parameters[name];
    if (parameter) return this.#parameter(name, parameter, place);
    return this.#attribute(name, undefined, place);
  }

  #parameter(name: string, { Type, Default }: { Type: string; Default?: unknown }, place: string): unknown {
    const value = this.#scope.parameters[name] ?? Default;
    if (value === undefined) throw new UnsupportedTemplate(`${place}: the parameter ${name} has no value`);
    return /List/.test(Type) ? String(value).split(',') : String(value);
  }

  #getAtt(argument: unknown, place: string): unknown {
    const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : this.#list(argument, place).map(String);
    return this.#attribute(logicalId ?? '', attribute.join('.'), place);
  }

  #attribute(logicalId: string, attribute: string | undefined, place: string): unknown {
    if (!Object.hasOwn(this.#stack.template.Resources, logicalId))
      throw new UnsupportedTemplate(`${place}: nothing is called ${logicalId}`);
    return this.#scope.attributeOf(this.#stack, logicalId, attribute);
  }

  #sub(argument: unknown, place: string): string {
    const [text, given] = Array.isArray(argument) ? [String(argument[0]), argument[1]] : [String(argument), {}];
    const own = isRecord(given) ? given : {};
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in own) return String(this.#resolve(own[name], place));
      return String(name.includes('.') ? this.#getAtt(name, place) : this.#ref(name, place));
    });
  }
}
