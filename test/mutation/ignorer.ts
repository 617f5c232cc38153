import type { NodePath } from '@stryker-mutator/api/ignore';

/** What an ignorer looks at of Babel's nodes. */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly callee?: Node;
  readonly property?: Node;
  /** Of a property, the node that names it. */
  readonly key?: Node;
}

/** The same of Babel's paths: where a node stands. */
interface Path {
  readonly node: Node;
  readonly key: string | number | null;
  readonly listKey?: string | undefined;
  readonly parentPath: Path | null;
}

/** Properties of schemas, routes and scripts that are for readers only. */
const documentation = new Set(['description', 'summary', 'title', 'example', 'examples']);
const isText = ({ node }: Path): boolean => node.type === 'StringLiteral' || node.type === 'TemplateLiteral';

/** `throw new Problem('CODE', 'Words.')`: the code is the contract, the words are not. */
function isWordsOfAnError({ key, listKey, parentPath }: Path): boolean {
  const made = parentPath?.node;
  if (listKey !== 'arguments' || made?.type !== 'NewExpression' || made.callee?.type !== 'Identifier') return false;
  return made.callee.name !== 'Problem' || key !== 0;
}

/** The name of the property of this kind whose value this is. */
function propertyOf({ key, parentPath }: Path, kind: 'ObjectProperty' | 'ClassProperty'): string | undefined {
  const property = parentPath?.node;
  return key === 'value' && property?.type === kind && property.key?.type === 'Identifier' ? property.key.name : undefined;
}

function calledBy({ listKey, parentPath }: Path): string | undefined {
  const call = parentPath?.node;
  if (listKey !== 'arguments' || call?.type !== 'CallExpression') return undefined;
  return call.callee?.type === 'MemberExpression' ? call.callee.property?.name : call.callee?.name;
}

/** `name: 'stock.reserve'` of a script stands in messages only. */
const isNameOfAScript = (path: Path): boolean =>
  propertyOf(path, 'ObjectProperty') === 'name' &&
  path.parentPath?.parentPath != null &&
  calledBy(path.parentPath.parentPath) === 'defineScript';

/** `override readonly name = 'StockTooLarge'`: what a log shows of an error. Whoever tells errors apart does so by their class. */
const isNameOfAnError = (path: Path): boolean => propertyOf(path, 'ClassProperty') === 'name';

/** Texts whose wording means nothing to any rule, with the reason; what decides anything is mutated. */
export const wordingIgnorer = {
  shouldIgnore(path: NodePath): string | undefined {
    const at = path as unknown as Path;
    if (calledBy(at) === 'meta' || calledBy(at) === 'describe') return 'documentation of a schema';
    if (documentation.has(propertyOf(at, 'ObjectProperty') ?? '')) return 'documentation';
    if (!isText(at)) return undefined;
    if (isWordsOfAnError(at)) return 'the wording of an error';
    if (isNameOfAnError(at)) return 'the name of an error, for logs';
    return isNameOfAScript(at) ? 'the name of a script, for messages' : undefined;
  },
};
