import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { readableStack } from '../../../functions/shared/stack-trace.ts';

const source = `export function refuse(reason: string): never {
  // On the third line.
  throw new Error(reason);
}
`;

/** What a bundled and minified function throws, with its map beside it as functions have theirs. */
function thrown({ withMap = true } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [file, outfile] = [join(directory, 'refuse.ts'), join(directory, 'index.cjs')];
  writeFileSync(file, source);
  buildSync({
    ...{ entryPoints: [file], outfile, absWorkingDir: directory, bundle: true, platform: 'node', format: 'cjs' },
    ...{ minify: true, sourcemap: true, sourcesContent: false },
  });
  if (!withMap) rmSync(`${outfile}.map`);
  try {
    createRequire(outfile)(outfile).refuse('no');
  } catch (error) {
    return { stack: (error as Error).stack ?? '', outfile };
  }
  return expect.fail('nothing was thrown');
}

it('names the place in the source that an error of a bundle comes from', () => {
  const { stack, outfile } = thrown();
  expect(stack).toContain(outfile);
  const readable = readableStack(stack);
  expect(readable.split('\n')[0]).toBe('Error: no');
  expect(readable.split('\n')[1]).toContain('refuse.ts:3:9');
  expect(readable).not.toContain(outfile);
  // Whose code is no bundle is named as it was.
  expect(readable.split('\n').slice(2)).toEqual(stack.split('\n').slice(2));
});

it('leaves a stack as it is where there is no map, or none that can be read', () => {
  const { stack, outfile } = thrown({ withMap: false });
  expect(readableStack(stack)).toBe(stack);
  const other = thrown();
  writeFileSync(`${other.outfile}.map`, readFileSync(other.outfile));
  expect(readableStack(other.stack)).toBe(other.stack);
  expect(outfile).not.toBe(other.outfile);
});
