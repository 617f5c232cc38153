import type { SourceMap } from 'node:module';

/** A place in a bundle, as a stack names it. */
const place = /(\/[^\s():]+\.cjs):(\d+):(\d+)/g;

const maps = new Map<string, SourceMap | undefined>();

/**
 * A stack with its places in bundles as places in the sources, where a bundle has its source map beside it. The map is read when the first error is
 * told: Node would read it at each start, whatever comes (`--enable-source-maps`), and where that is on leaves nothing to do here. Unlike Node, this
 * leaves functions the short names that they have in the bundle.
 */
export const readableStack = (stack: string): string =>
  stack.replace(place, (found, file: string, line: string, column: string) => {
    const origin = mapOf(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return found;
    return `${origin.fileName.replace(/^(\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`;
  });

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
  return maps.get(file);
}

/** No imports: nothing of this is needed before. Whatever goes wrong, the error is told, if only with its place in the bundle. */
function readMap(file: string): SourceMap | undefined {
  try {
    const [{ readFileSync }, { SourceMap }] = [process.getBuiltinModule('node:fs'), process.getBuiltinModule('node:module')];
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
