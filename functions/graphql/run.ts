import {
  type DocumentNode,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  getOperationAST,
  Kind,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { Problem } from '../shared/problems.ts';
import type { Ask } from './ask.ts';
import { callsMax, costMax, errorsMax, tokensMax } from './bounds.model.ts';
import { failureOf, type Hide } from './errors.model.ts';
import type { GraphqlAnswer, GraphqlRequest } from './graphql.schemas.ts';
import { callsOf, costOf, DepthRule, keyRule } from './limits.model.ts';
import { type Context, schema } from './schema.model.ts';

export interface RunPorts {
  readonly ask: Ask;
  readonly hide: Hide;
  readonly nowMs: () => number;
}

/**
 * Mutations run one after the other, and each may take as long as the function that serves it alone may (15 s): none begins later than this, so
 * that the last one's answer still arrives.
 */
const beginMsMax = 13_000;

export interface Ran {
  readonly answer: GraphqlAnswer;
  /** Whether there were keyed requests, and each of them was answered with the first answer again. */
  readonly replayed: boolean;
}

/** Answers a GraphQL request. Never throws for what the request says: that is an answer with errors. */
export async function run(request: GraphqlRequest, { ask, hide, nowMs }: RunPorts): Promise<Ran> {
  const beganMs = nowMs();
  const read = documentOf(request);
  if (read.outcome === 'refused') return { answer: { errors: read.errors.map((error) => failureOf(error, hide)) }, replayed: false };

  const keyed: { readonly name: string; readonly replayed: boolean }[] = [];
  const contextValue: Context = {
    ask,
    onKeyed: (name, replayed) => keyed.push({ name, replayed }),
    mayBegin() {
      if (nowMs() - beganMs <= beginMsMax) return;
      throw new Problem('TRY_AGAIN', 'What came before it in this request took too long; nothing was done. Send it again by itself.');
    },
  };
  const { data, errors } = await execute({
    schema,
    document: read.document,
    contextValue,
    variableValues: request.variables ?? {},
    operationName: request.operationName ?? null,
  });
  const replayed = keyed.filter((each) => each.replayed).map(({ name }) => name);
  return {
    answer: {
      ...(data === undefined ? {} : { data }),
      ...(errors === undefined ? {} : { errors: errors.map((error) => failureOf(error, hide)) }),
      ...(replayed.length === 0 ? {} : { extensions: { replayed } }),
    },
    replayed: keyed.length > 0 && replayed.length === keyed.length,
  };
}

type Read = { outcome: 'read'; document: DocumentNode } | { outcome: 'refused'; errors: readonly GraphQLError[] };

/** The request's document, once it is known to be valid and within all bounds. */
function documentOf({ query, operationName, variables }: GraphqlRequest): Read {
  let document: DocumentNode;
  try {
    document = parse(query, { maxLexicalTokens: tokensMax });
  } catch (error) {
    if (error instanceof GraphQLError) return { outcome: 'refused', errors: [error] };
    throw error;
  }
  for (const rules of [[DepthRule], [keyRule({ operationName, variables }), ...specifiedRules]]) {
    const errors = validate(schema, document, rules, { maxErrors: errorsMax });
    if (errors.length > 0) return { outcome: 'refused', errors };
  }
  const excess = excessOf(document, operationName, variables ?? {});
  return excess === undefined ? { outcome: 'read', document } : { outcome: 'refused', errors: [new GraphQLError(excess)] };
}

/** What is too much about the operation that is meant. Which one that is, the executor says where the request does not. */
function excessOf(document: DocumentNode, operationName: string | null | undefined, variables: Readonly<Record<string, unknown>>) {
  const operation = getOperationAST(document, operationName);
  if (!operation) return undefined;
  const fragments = new Map(document.definitions.filter(isFragment).map((fragment) => [fragment.name.value, fragment]));
  const fragmentOf = (name: string) => fragments.get(name);
  const calls = callsOf(operation, fragmentOf);
  const most = callsMax[operation.operation];
  if (calls > most) return `This asks for ${calls} things at once; a ${operation.operation} may ask for ${most}.`;
  const cost = costOf(operation, { schema, fragmentOf, variables });
  if (cost > costMax) return `The answer could come to more than ${costMax} points: ask for fewer fields or shorter pages.`;
  return undefined;
}

const isFragment = (definition: { readonly kind: string }): definition is FragmentDefinitionNode =>
  definition.kind === Kind.FRAGMENT_DEFINITION;
