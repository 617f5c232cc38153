import { join } from 'node:path';
import type { FunctionSpec } from '../../lib/local/assembly.ts';
import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Panel, Row, Section, SectionResult } from '../lib/section.ts';
import { summaryOf } from '../lib/statistics.ts';
import { bundleIn, type Stage, scratchDirectory, startStage, synthesised } from '../system/stage.ts';
import { metafileOf } from './bundle.ts';
import { type Contents, contentsOf, wayTo } from './contents.ts';
import { firstRequests } from './first-request.ts';
import { type Start, type StartOptions, startOnce } from './starts.ts';

export const section: Section = {
  name: 'cold-start',
  title: 'what each function weighs, what is in it, and how long it takes to start',
  run,
};

interface Shipped {
  readonly spec: FunctionSpec;
  readonly contents: Contents;
  /** `orders/place` */
  readonly name: string;
}

const quickMax = 2;

async function run(context: BenchContext): Promise<SectionResult> {
  const { quick, log } = context;
  const stage = await startStage(context, await synthesised(context));
  const caches = await scratchDirectory(context);
  const all = stage.assembly.functions.map((spec): Shipped => {
    const contents = contentsOf(spec.codeDirectory);
    return { spec, contents, name: contents.entry.replace(/^functions\//, '').replace(/\.handler\.ts$/, '') };
  });
  // The one that matters is first, and in any case there.
  const functions = all.toSorted((one, two) => Number(two.spec === stage.placing) - Number(one.spec === stage.placing));
  const measured = quick ? functions.slice(0, quickMax) : functions;
  const started = await initTimes(context, stage, measured, caches);
  log('fresh processes of each function: done');
  const first = await firstRequests(context, stage, caches);
  return {
    rows: [...first.rows, ...measured.flatMap((each, at) => rowsOf(each, started[at]))],
    notes: [
      'A fresh process each time, on a machine whose files are in memory; times are the process’ own, from its beginning. Node alone is what an empty module takes.',
      'The cache is V8’s (NODE_COMPILE_CACHE), filled by earlier processes. Lambda sets none by itself, and its own disk and processor are slower than these.',
      'The plain bundle (bench/cold-start/plain.handler.ts) has the same packages and bundler; it runs one script and writes one item, where the function reads a ' +
        'secret and the sale, runs two scripts and writes a transaction.',
      ...notesOfContents(measured),
    ],
    faults: first.faults,
    panels: panelsOf(functions),
  };
}

interface Times {
  readonly bare: readonly Start[];
  readonly cached: readonly Start[];
}

async function initTimes(context: BenchContext, stage: Stage, functions: readonly Shipped[], caches: string): Promise<Times[]> {
  const fillings = context.quick ? 1 : 2;
  const pairs: { bare: StartOptions; cached: StartOptions }[] = [];
  for (const [at, { spec }] of functions.entries()) {
    const bare = { bundle: bundleIn(spec.codeDirectory), environment: stage.environmentOf(spec) };
    const cached = { ...bare, cache: join(caches, String(at)) };
    for (let pass = 0; pass < fillings; pass++) await startOnce(cached);
    pairs.push({ bare, cached });
  }
  const results = await interleave(
    context,
    pairs.flatMap(({ bare, cached }) => [bare, cached]),
    startOnce,
  );
  return pairs.map(({ bare, cached }) => ({ bare: results.get(bare) ?? [], cached: results.get(cached) ?? [] }));
}

const kilobytes = (bytes: number): number => bytes / 1_000;

function rowsOf({ name, contents }: Shipped, times: Times | undefined): Row[] {
  const group = name;
  const timed = (what: string, starts: readonly Start[]): Row => {
    const { median, spread } = summaryOf(starts.map(({ beganMs, loadedMs }) => loadedMs - beganMs));
    return { group, what, value: median, unit: 'ms', spread };
  };
  return [
    { group, what: 'bundle', value: kilobytes(contents.bytes), unit: 'kB' },
    { group, what: 'bundle, gzip', value: kilobytes(contents.gzipBytes), unit: 'kB' },
    ...(times ? [timed('init', times.bare), timed('init with a compile cache', times.cached)] : []),
  ];
}

const partsShown = 5;

function notesOfContents(functions: readonly Shipped[]): string[] {
  const metafile = metafileOf(functions.map(({ contents }) => contents.entry));
  return functions.map(({ name, contents: { entry, parts } }) => {
    const shown = parts.slice(0, partsShown).map((part) => {
      const way = wayTo(metafile, entry, part.name)
        .slice(1, -1)
        .map((each) => each.replace(/^functions\//, ''));
      return `${part.name} ${Math.round(kilobytes(part.bytes))} kB${way.length > 0 ? ` (${way.join(' → ')})` : ''}`;
    });
    return `In ${name}: ${shown.join('; ')}.`;
  });
}

const panelsOf = (functions: readonly Shipped[]): Panel[] => [
  {
    kind: 'bars',
    title: 'Bundles by function',
    unit: 'kB',
    better: 'lower',
    bars: functions.map(({ name, contents }) => ({ label: name, value: kilobytes(contents.bytes), ours: true })),
  },
];
