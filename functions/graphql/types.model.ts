import {
  GraphQLBoolean,
  type GraphQLFieldConfigMap,
  GraphQLInt,
  GraphQLList,
  type GraphQLNamedOutputType,
  GraphQLNonNull,
  type GraphQLNullableOutputType,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLString,
  Kind,
} from 'graphql';
import * as z from 'zod';
import { bytesPerPoint } from './bounds.model.ts';

/** An answer's schema has something that this page does not know how to show. */
export class UnknownShape extends Error {
  override readonly name = 'UnknownShape';
}

/** What one field may come to in an answer: about that many points, and that many times. */
export interface FieldCost {
  readonly weight: number;
  readonly times: number;
}

/** What the schemas of answers do not say: names of types that have none there, and the lengths of lists. Both by place: `Order.tickets`. */
export interface Hints {
  readonly names: Readonly<Record<string, string>>;
  readonly lengths: Readonly<Record<string, number>>;
}

/**
 * Amounts of money. GraphQL's own Int ends at 2^31 - 1, which is 21 million euros in cents: less than a buyer's balance may be. Float would
 * carry them too and say nothing about fractions. So it is a scalar of its own, in JSON a whole number, exact up to 2^53 - 1.
 */
export const MinorUnits = new GraphQLScalarType<number, number>({
  name: 'MinorUnits',
  description: 'An amount of money in minor units of its currency (cents): a whole number, exact up to 2^53 - 1.',
  coerceOutputValue(value) {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError('an amount of money must be a whole number');
    return value;
  },
});

const wordsShownMax = 20;

/**
 * A closed list of words, written as the JSON contract writes them. No enum: some of these words (`sold-out`) are no names of GraphQL, and a
 * word that is not in the list is refused by the very schema that refuses it elsewhere, with the same code.
 */
function wordsOf(name: string, schema: z.ZodEnum): GraphQLScalarType<string, string> {
  const words = schema.options.map(String);
  const list = words.length > wordsShownMax ? undefined : `One of ${words.map((word) => `"${word}"`).join(', ')}.`;
  const said = schema.meta()?.description;
  return new GraphQLScalarType<string, string>({
    name,
    description: [said, list].filter((part) => part !== undefined).join(' '),
    coerceOutputValue: String,
    coerceInputValue: asWord,
    // A word may be written with quotes or without.
    coerceInputLiteral: (literal) => (literal.kind === Kind.ENUM || literal.kind === Kind.STRING ? literal.value : asWord(undefined)),
  });
}

function asWord(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('must be a word');
  return value;
}

const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** How much a text may weigh: by its longest length, where its schema has one. */
const weightOf = (schema: z.core.$ZodType): number =>
  schema instanceof z.ZodString ? Math.max(1, Math.ceil((schema.maxLength ?? 0) / bytesPerPoint)) : 1;

/** What stands behind `optional`, `nullable` and `default`. */
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) return bare(schema.unwrap());
  return schema;
}

const mayBeAbsent = (schema: z.core.$ZodType): boolean => schema instanceof z.ZodOptional || schema instanceof z.ZodNullable;

/**
 * Makes GraphQL types of the schemas that the answers of the HTTP contract have, so that there is one source for both. A type is named by its
 * schema's id, or by its place: `Order.status` is an `OrderStatus`.
 */
export function typesFrom({ names, lengths }: Hints) {
  const known = new Map<string, GraphQLNamedOutputType>();

  function remember<T extends GraphQLNamedOutputType>(name: string, make: () => T): T {
    const found = known.get(name) ?? make();
    known.set(name, found);
    return found as T;
  }

  const typeOf = (schema: z.core.$ZodType, place: string): GraphQLOutputType => {
    const type = presentTypeOf(bare(schema), place);
    return mayBeAbsent(schema) ? type : new GraphQLNonNull(type);
  };

  function presentTypeOf(schema: z.core.$ZodType, place: string): GraphQLNullableOutputType {
    if (schema instanceof z.ZodArray) return new GraphQLList(typeOf(schema.element, place));
    if (schema instanceof z.ZodObject) return objectOf(schema, place);
    if (schema instanceof z.ZodEnum) {
      const name = nameOf(schema, place);
      return remember(name, () => wordsOf(name, schema));
    }
    if (schema instanceof z.ZodNumber) return place.endsWith('Minor') ? MinorUnits : GraphQLInt;
    if (schema instanceof z.ZodBoolean) return GraphQLBoolean;
    if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return GraphQLString;
    throw new UnknownShape(`${place}: there is no GraphQL type for ${schema._zod.def.type}`);
  }

  function nameOf(schema: z.ZodType, place: string): string {
    return schema.meta()?.id ?? names[place] ?? place.split('.').map(capitalised).join('');
  }

  function objectOf(schema: z.ZodObject, place: string): GraphQLObjectType {
    const name = nameOf(schema, place);
    return remember(name, () => {
      const description = schema.meta()?.description;
      return new GraphQLObjectType({ name, ...(description === undefined ? {} : { description }), fields: fieldsOf(name, schema) });
    });
  }

  function fieldsOf(type: string, schema: z.ZodObject): GraphQLFieldConfigMap<unknown, unknown> {
    const fields = Object.entries(schema.shape).map(([name, field]) => {
      const place = `${type}.${name}`;
      const cost: FieldCost = { weight: weightOf(bare(field)), times: bare(field) instanceof z.ZodArray ? (lengths[place] ?? 20) : 1 };
      const description = z.globalRegistry.get(field)?.description;
      return [name, { type: typeOf(field, place), ...(description === undefined ? {} : { description }), extensions: { cost } }];
    });
    return Object.fromEntries(fields);
  }

  return {
    /** The type of an answer; without an id, it is called by `name`. */
    object: (schema: z.ZodObject, name = ''): GraphQLObjectType => objectOf(schema, name),
    /** A list of words that one of the answers has. Throws `UnknownShape` for one that none has. */
    words(name: string): GraphQLScalarType {
      const found = known.get(name);
      if (found instanceof GraphQLScalarType) return found;
      throw new UnknownShape(`no answer has a list of words called ${name}`);
    },
  };
}
