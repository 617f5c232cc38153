import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { contentsOf, wayTo } from '../../bench/cold-start/contents.ts';
import { section } from '../../bench/cold-start/section.ts';
import { runSection } from '../../bench/lib/run.ts';

/** It synthesises the app and starts what it measures, on a machine that is busy with other tests. */
const sectionMsMax = 400_000;
const silent = { signal: new AbortController().signal, log: () => {} };

it('says whose each byte of a bundle is, by its source map', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stampede-test-'));
  try {
    const sources = ['../../node_modules/@scope/one/a.js', '../../functions/orders/place.handler.ts'];
    // Two bytes of the bundler's, four of the package, then the handler to the end of the line.
    const [toPackage, toHandler] = ['EAAA', 'ICAA'];
    writeFileSync(join(directory, 'index.mjs'), '//aaaahhh\n');
    writeFileSync(join(directory, 'index.mjs.map'), JSON.stringify({ sources, mappings: `${toPackage},${toHandler}` }));
    const { parts, entry, bytes } = contentsOf(directory);
    expect(entry).toBe('functions/orders/place.handler.ts');
    expect(Object.fromEntries(parts.map((part) => [part.name, part.bytes]))).toEqual({ '@scope/one': 4, 'our own': 3, 'the bundler': 3 });
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it('finds the shortest way of imports from a handler to a package', () => {
  const imports = (...paths: string[]) => ({ bytes: 1, imports: paths.map((path) => ({ path, kind: 'import-statement' as const })) });
  const inputs = {
    'functions/a.handler.ts': imports('functions/long.ts', 'functions/short.ts'),
    'functions/long.ts': imports('functions/longer.ts'),
    'functions/longer.ts': imports('node_modules/zod/index.js'),
    'functions/short.ts': imports('node_modules/zod/index.js'),
    'node_modules/zod/index.js': imports(),
  };
  expect(wayTo({ inputs, outputs: {} }, 'functions/a.handler.ts', 'zod')).toEqual(['functions/a.handler.ts', 'functions/short.ts', 'zod']);
  expect(wayTo({ inputs, outputs: {} }, 'functions/a.handler.ts', 'ioredis')).toEqual([]);
});

it(
  'starts functions in fresh processes, and sees the first request of the one that places orders answered',
  async () => {
    const { rows, notes, faults } = await runSection(section, { quick: true, rounds: 1, seed: 1 }, silent);
    expect(faults).toEqual([]);
    const placing = rows.filter(({ group }) => group === 'orders/place');
    expect(placing.map(({ what }) => what)).toEqual(['bundle', 'bundle, gzip', 'init', 'init with a compile cache']);
    const [bundle, zipped] = placing;
    expect(zipped?.value).toBeLessThan(bundle?.value ?? 0);
    const figureOf = (what: string) => rows.find((row) => row.what === what)?.value ?? Number.NaN;
    expect(figureOf('function ÷ plain bundle')).toBeCloseTo(figureOf('the function that places orders') / figureOf('a plain bundle'), 5);
    expect(notes.some((note) => note.startsWith('In orders/place: '))).toBe(true);
  },
  sectionMsMax,
);
