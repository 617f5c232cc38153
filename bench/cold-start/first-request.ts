import { join } from 'node:path';
import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Goal, Row } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { buyerOf, order, orderEvents } from '../system/events.ts';
import { bundleIn, type Stage } from '../system/stage.ts';
import { bundleAs } from './bundle.ts';
import { type Start, startOnce } from './starts.ts';

const group = 'a fresh process to the end of its first request';
const goal: Goal = {
  name: 'reserve function: fresh process to the end of the first request ÷ a straightforward bundle of the same packages',
  atLeast: 0.75,
  stretch: 0.5,
  direction: 'lower',
};

interface Candidate {
  readonly what: string;
  readonly bundle: string;
  readonly eventOf: ReturnType<typeof orderEvents>;
  /** What a right answer has. */
  readonly status: number;
  readonly cache?: string;
  /** What it is a ratio to. */
  readonly base?: string;
}

const [ours, plain, cached, plainCached] = [
  'the function that places orders',
  'a plain bundle',
  'the function, with a compile cache',
  'a plain bundle, with a compile cache',
];
const attemptsMax = 3;
const answeredMs = (start: Start): number => start.answeredMs;

/** The function that places orders beside the plain bundle, each on the same servers, and with the same environment. */
export async function firstRequests(context: BenchContext, stage: Stage, scratch: string): Promise<{ rows: Row[]; faults: string[] }> {
  const candidates = await candidatesOf(stage, scratch);
  const environment = stage.environmentOf(stage.placing);
  const faults: string[] = [];
  let number = 0;
  const start = async ({ what, bundle, eventOf, status, cache }: Candidate): Promise<Start> => {
    for (let attempt = 1; ; attempt++) {
      number++;
      const started = await startOnce({ bundle, environment, event: eventOf(buyerOf(number), `key-${number}`), cache });
      // On a machine that is too busy, the answer may rightly be to try again.
      const isBusy = started.status === 503 && attempt < attemptsMax;
      if (isBusy) continue;
      if (started.status !== status) faults.push(`${what}: ${started.status} ${started.body}`);
      return started;
    }
  };
  const fillings = context.quick ? 1 : 2;
  for (const candidate of candidates.filter(({ cache }) => cache !== undefined)) {
    for (let pass = 0; pass < fillings; pass++) await start(candidate);
  }
  // Its one unit.
  for (const refusing of candidates.filter(({ status }) => status === 409)) await start({ ...refusing, status: 201 });
  const results = await interleave(context, candidates, start);
  const startsOf = new Map([...results].map(([{ what }, starts]) => [what, starts]));
  const of = (what: string, figure: (start: Start) => number = answeredMs) => (startsOf.get(what) ?? []).map(figure);
  const row = (what: string, base: string | undefined, name: string, figure: (start: Start) => number): Row => {
    const { median, spread } = summaryOf(of(what, figure));
    const ratio = base === undefined ? undefined : ratioOf(of(what, figure), of(base, figure));
    const ratioTo = ratio ? { ratioTo: { what: `${base}${name}`, value: ratio.median, spread: ratio.spread } } : {};
    return { group, what: `${what}${name}`, value: median, unit: 'ms', spread, ...ratioTo };
  };
  const reached = ratioOf(of(ours), of(plain));
  const selling = candidates.filter(({ status }) => status === 201);
  return {
    rows: [
      ...candidates.map(({ what, base }) => row(what, base, '', answeredMs)),
      ...selling.map(({ what, base }) => row(what, base, ', CPU', ({ cpuMs }) => cpuMs)),
      { group, what: 'function ÷ plain bundle', value: reached.median, unit: '×', spread: reached.spread, goal },
    ],
    faults,
  };
}

async function candidatesOf(stage: Stage, scratch: string): Promise<Candidate[]> {
  const [plainBundle, emptyBundle] = [join(scratch, 'plain.cjs'), join(scratch, 'empty.cjs')];
  bundleAs(plainBundle, 'bench/cold-start/plain.handler.ts');
  bundleAs(emptyBundle, 'bench/cold-start/empty.ts');
  await stage.openSale('cold', 1_000_000);
  await stage.openSale('cold-sold-out', 1);
  const [sold, refused] = [orderEvents('cold', order), orderEvents('cold-sold-out', order)];
  const placing = { bundle: bundleIn(stage.placing.codeDirectory), eventOf: sold, status: 201 };
  const comparison = { bundle: plainBundle, eventOf: sold, status: 201 };
  return [
    { ...placing, what: ours, base: plain },
    { ...comparison, what: plain },
    { ...placing, what: cached, base: plainCached, cache: join(scratch, 'cache-of-function') },
    { ...comparison, what: plainCached, cache: join(scratch, 'cache-of-plain') },
    { ...placing, what: 'the function, refusing (sold out)', base: plain, eventOf: refused, status: 409 },
    { ...comparison, what: 'Node alone', bundle: emptyBundle, status: 200 },
  ];
}
