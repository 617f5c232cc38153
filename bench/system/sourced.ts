import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where a place in running code comes from: a path below the project, or `node:…`; empty for what V8 brings along. */
export type SourceOf = (url: string, line: number, column: number) => string;

const root = new URL('../../', import.meta.url).href;

/** Looks through a bundle's source map, which lies beside it; anything else is its own source. */
export function sourceReader(): SourceOf {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (url: string) => {
    if (!maps.has(url)) maps.set(url, readMap(url));
    return maps.get(url);
  };
  return (url, line, column) => {
    if (url === '' || url.startsWith('node:')) return url;
    const entry = mapOf(url)?.findEntry(line, column);
    if (entry && 'originalSource' in entry) return belowProject(entry.originalSource);
    return url.startsWith(root) ? url.slice(root.length) : url;
  };
}

function readMap(url: string): SourceMap | undefined {
  if (!url.startsWith('file:') || !/\.[cm]?js$/.test(url)) return undefined;
  try {
    return new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Maps name sources by paths relative to where they were written. */
export const belowProject = (source: string): string => source.replace(/^.*?(?=(?:node_modules|functions|lib|lua|bench|test)\/)/, '');

/** The package of a source, `@aws-sdk/client-dynamodb`, or undefined for a source of our own. */
export const packageOf = (source: string): string | undefined => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1];
