import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isCompositeType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValueNode,
} from 'graphql';
import { pageLimitDefault, pageLimitMax } from '../shared/page.ts';
import { depthMax } from './bounds.model.ts';
import type { GraphqlRequest } from './graphql.schemas.ts';
import type { FieldCost } from './types.model.ts';

type Fragments = (name: string) => FragmentDefinitionNode | undefined;

/** Refuses a document that goes deeper than `depthMax`, before anything else looks at it. A fragment that contains itself is another rule's. */
export function DepthRule(context: ValidationContext): ASTVisitor {
  const depths = new Map<string, number>();

  function depthOf(selections: SelectionSetNode | undefined, within: ReadonlySet<string>): number {
    const depthsBelow = (selections?.selections ?? []).map((each) => {
      if (each.kind === Kind.FIELD) return 1 + depthOf(each.selectionSet, within);
      return each.kind === Kind.INLINE_FRAGMENT ? depthOf(each.selectionSet, within) : depthOfFragment(each.name.value, within);
    });
    return Math.max(0, ...depthsBelow);
  }

  function depthOfFragment(name: string, within: ReadonlySet<string>): number {
    if (within.has(name)) return 0;
    const depth = depths.get(name) ?? depthOf(context.getFragment(name)?.selectionSet, new Set([...within, name]));
    depths.set(name, depth);
    return depth;
  }

  return {
    OperationDefinition(node) {
      const depth = depthOf(node.selectionSet, new Set());
      if (depth <= depthMax) return;
      context.reportError(new GraphQLError(`This goes ${depth} fields deep; at most ${depthMax} are answered.`, { nodes: [node] }));
    },
  };
}

/**
 * Says with the contract's own code that an order needs a key, where GraphQL would only say that an argument, or the variable that it is to come
 * from, is missing or null. Variables are those of the operation that is meant; others may have none.
 */
export const keyRule = ({ operationName, variables }: Pick<GraphqlRequest, 'operationName' | 'variables'>) =>
  function KeyRule(context: ValidationContext): ASTVisitor {
    let meant: OperationDefinitionNode | undefined;

    function isThere(value: ValueNode | undefined): boolean {
      if (value?.kind !== Kind.VARIABLE) return value !== undefined && value.kind !== Kind.NULL;
      const name = value.name.value;
      const declared = meant?.variableDefinitions?.find(({ variable }) => variable.name.value === name);
      const given = Object.hasOwn(variables ?? {}, name) ? variables?.[name] : undefined;
      return !declared || (given === undefined ? declared.defaultValue !== undefined : given !== null);
    }

    return {
      OperationDefinition: {
        enter(node) {
          if (!operationName || node.name?.value === operationName) meant = node;
        },
        leave() {
          meant = undefined;
        },
      },
      Field(node) {
        if (node.name.value !== 'placeOrder') return;
        if (isThere(node.arguments?.find(({ name }) => name.value === 'idempotencyKey')?.value)) return;
        const message = 'Give an idempotencyKey, and the same one when you retry.';
        context.reportError(new GraphQLError(message, { nodes: [node], extensions: { code: 'IDEMPOTENCY_KEY_REQUIRED' } }));
      },
    };
  };

/** How many operations of the HTTP contract a valid operation asks for; the same field under two names counts twice. */
export function callsOf(operation: OperationDefinitionNode, fragmentOf: Fragments): number {
  const known = new Map<string, number>();

  const count = (selections: SelectionSetNode | undefined): number =>
    (selections?.selections ?? []).reduce((sum, each) => {
      if (each.kind === Kind.FIELD) return sum + (each.name.value.startsWith('__') ? 0 : 1);
      return sum + (each.kind === Kind.INLINE_FRAGMENT ? count(each.selectionSet) : countOfFragment(each.name.value));
    }, 0);

  // Each fragment once: fragments within fragments would otherwise be walked as often as they multiply.
  function countOfFragment(name: string): number {
    const found = known.get(name) ?? count(fragmentOf(name)?.selectionSet);
    known.set(name, found);
    return found;
  }

  return count(operation.selectionSet);
}

/** How long the lists of introspection are on the average, and generously; the one of all types is known. */
const introspectionLengths: Readonly<Record<string, number>> = { fields: 8, args: 2, inputFields: 2, enumValues: 2, directives: 6 };

/**
 * What the answer to a valid operation may come to, in points: each field's own weight, times the lengths of the lists that it stands in. A page
 * has its `limit`, any other list what is known of it. Directives that leave fields out are not looked at.
 */
export function costOf(
  operation: OperationDefinitionNode,
  { schema, fragmentOf, variables }: { schema: GraphQLSchema; fragmentOf: Fragments; variables: Readonly<Record<string, unknown>> },
): number {
  const costs = new Map<string, number>();

  const costOfAll = ({ selections }: SelectionSetNode, parent: GraphQLCompositeType): number =>
    selections.reduce((sum, each) => {
      if (each.kind === Kind.FIELD) return sum + costOfField(each, parent);
      return sum + (each.kind === Kind.INLINE_FRAGMENT ? costOfInline(each, parent) : costOfFragment(each.name.value));
    }, 0);

  function costOfInline({ typeCondition, selectionSet }: InlineFragmentNode, parent: GraphQLCompositeType): number {
    const type = typeCondition ? schema.getType(typeCondition.name.value) : parent;
    return isCompositeType(type) ? costOfAll(selectionSet, type) : 0;
  }

  // Here too, each fragment once.
  function costOfFragment(name: string): number {
    const known = costs.get(name);
    if (known !== undefined) return known;
    const fragment = fragmentOf(name);
    const type = fragment && schema.getType(fragment.typeCondition.name.value);
    const cost = isCompositeType(type) && fragment ? costOfAll(fragment.selectionSet, type) : 0;
    costs.set(name, cost);
    return cost;
  }

  function costOfField(node: FieldNode, parent: GraphQLCompositeType): number {
    const field = schema.getField(parent, node.name.value);
    if (!field) return 0;
    const { weight, times } = ownCostOf(field, parent);
    const inner = getNamedType(field.type);
    const below = node.selectionSet && isCompositeType(inner) ? costOfAll(node.selectionSet, inner) : 0;
    return times * pageLengthOf(node, field) * (weight + below);
  }

  function ownCostOf(field: GraphQLField<unknown, unknown>, parent: GraphQLCompositeType): FieldCost {
    const cost = field.extensions.cost as FieldCost | undefined;
    if (cost) return cost;
    const isList = isListType(isNonNullType(field.type) ? field.type.ofType : field.type);
    if (!isList || !isIntrospectionType(parent)) return { weight: 1, times: 1 };
    return { weight: 1, times: field.name === 'types' ? Object.keys(schema.getTypeMap()).length : (introspectionLengths[field.name] ?? 1) };
  }

  function pageLengthOf({ arguments: given = [] }: FieldNode, { args }: GraphQLField<unknown, unknown>): number {
    if (!args.some(({ name }) => name === 'limit')) return 1;
    const value = given.find(({ name }) => name.value === 'limit')?.value;
    if (value === undefined || value.kind === Kind.NULL) return pageLimitDefault;
    const asked = value.kind === Kind.VARIABLE ? variables[value.name.value] : value.kind === Kind.INT ? Number(value.value) : undefined;
    // What is no length is refused later, and counts as the longest page until then.
    return typeof asked === 'number' && asked >= 1 && asked <= pageLimitMax ? asked : pageLimitMax;
  }

  const root = schema.getRootType(operation.operation);
  return root ? costOfAll(operation.selectionSet, root) : 0;
}
