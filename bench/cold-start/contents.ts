import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { belowProject, packageOf } from '../system/sourced.ts';
import { bundleIn } from '../system/stage.ts';

export interface Contents {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The handler's source, `functions/orders/place.handler.ts`. */
  readonly entry: string;
  /** Bytes of the bundle by package, the largest first; `our own` and `scripts in Lua` are the project's, `the bundler` what has no source. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

interface SourceMapFile {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** What a bundle is made of, by its source map: the very bytes that would be deployed. */
export function contentsOf(directory: string): Contents {
  const bundle = bundleIn(directory);
  const code = readFileSync(bundle, 'utf8');
  const map = JSON.parse(readFileSync(`${bundle}.map`, 'utf8')) as SourceMapFile;
  const sources = map.sources.map(belowProject);
  const byPart = new Map<string, number>();
  for (const [source, bytes] of bytesBySource(code, map.mappings)) {
    const path = source === undefined ? undefined : sources[source];
    const name = path === undefined ? 'the bundler' : (packageOf(path) ?? (path.startsWith('lua/') ? 'scripts in Lua' : 'our own'));
    byPart.set(name, (byPart.get(name) ?? 0) + bytes);
  }
  return {
    bytes: Buffer.byteLength(code),
    gzipBytes: gzipSync(code).length,
    // What others need comes first in a bundle, and the entry last.
    entry: sources.findLast((source) => /^functions\/.*\.handler\.ts$/.test(source)) ?? '',
    parts: [...byPart].map(([name, bytes]) => ({ name, bytes })).sort((one, two) => two.bytes - one.bytes),
  };
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The fields of a segment: base64 VLQ (ECMA-426, "Base64 VLQ"). */
function fieldsOf(segment: string): number[] {
  const fields: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    fields.push(value & 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return fields;
}

/** Bytes by the source's number. A segment reaches to the next one on its line. */
function bytesBySource(code: string, mappings: string): Map<number | undefined, number> {
  const bySource = new Map<number | undefined, number>();
  const add = (source: number | undefined, text: string) => bySource.set(source, (bySource.get(source) ?? 0) + Buffer.byteLength(text));
  const lines = code.split('\n');
  let source = 0;
  for (const [at, segments] of mappings.split(';').entries()) {
    const line = lines[at] ?? '';
    let [column, owner] = [0, undefined as number | undefined];
    for (const segment of segments === '' ? [] : segments.split(',')) {
      const [columns = 0, sources] = fieldsOf(segment);
      add(owner, line.slice(column, column + columns));
      column += columns;
      if (sources !== undefined) source += sources;
      owner = sources === undefined ? undefined : source;
    }
    // The end of a line belongs to nobody.
    add(owner, line.slice(column));
    if (at < lines.length - 1) add(undefined, '\n');
  }
  for (const line of lines.slice(mappings.split(';').length)) add(undefined, line);
  return bySource;
}

/** Why a package is in a bundle: the shortest way of imports from the handler to it, the project's own files alone. Empty when there is none. */
export function wayTo({ inputs }: Metafile, entry: string, name: string): string[] {
  const cameFrom = new Map<string, string | undefined>([[entry, undefined]]);
  const queue = [entry];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (packageOf(path) === name)
      return pathTo(path, cameFrom)
        .map((each) => packageOf(each) ?? each)
        .filter((each, at, all) => each !== all[at - 1]);
    for (const { path: next } of inputs[path]?.imports ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      queue.push(next);
    }
  }
  return [];
}

function pathTo(last: string, cameFrom: ReadonlyMap<string, string | undefined>): string[] {
  const path: string[] = [];
  for (let at: string | undefined = last; at !== undefined; at = cameFrom.get(at)) path.unshift(at);
  return path;
}
