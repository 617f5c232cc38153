import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const importPattern = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** How far a file is from each of the project's files that it imports, itself included: 0, 1 for what it imports by itself, and so on. */
export function distances(file: string): Map<string, number> {
  const found = new Map<string, number>();
  let edge = [resolve(file)];
  for (let distance = 0; edge.length > 0; distance++) {
    const next: string[] = [];
    for (const path of edge) {
      if (found.has(path) || !existsSync(path)) continue;
      found.set(path, distance);
      if (!path.endsWith('.ts')) continue;
      for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(importPattern)) next.push(resolve(dirname(path), target));
    }
    edge = next;
  }
  return found;
}
