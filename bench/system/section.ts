import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Row, Section, SectionResult } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { ofContainer, ofFrontEnd } from './buckets.ts';
import { addConstant } from './constant.ts';
import { type Crowd, type RequestKind, requestKinds, type Sent, startCrowd } from './crowd.ts';
import type { Called } from './handler.process.ts';
import { type CallKind, type Handler, startHandler } from './in-process.ts';
import { percentages, type Shares, sharesOf, together } from './profile.ts';
import { startStage, synthesised } from './stage.ts';
import { topOf, writeCost } from './write-cost.ts';

/** How Node runs the runtime: `npm start` leaves the optimising compiler out; Lambda has it. */
const modes = [
  { name: 'as npm start runs it', execArgv: ['--no-opt'] },
  { name: 'with the optimising compiler', execArgv: [] },
] as const;
type Mode = (typeof modes)[number];

const callKinds = ['refused', 'placed'] as const satisfies readonly CallKind[];
const candidates = [
  ...requestKinds.map((kind) => ({ by: 'http' as const, kind })),
  ...callKinds.map((kind) => ({ by: 'call' as const, kind })),
];

export const section: Section = {
  name: 'system',
  title: 'POST /v1/sales/{saleId}/orders through the embedded runtime, and where its time goes',
  run,
};

async function run(context: BenchContext): Promise<SectionResult> {
  const { quick, log } = context;
  const assemblyDirectory = await synthesised(context);
  const stage = await startStage(context, assemblyDirectory);
  await addConstant(assemblyDirectory, { isProfiled: true });
  const written = await writeCost(context, stage);
  log('what an order’s write costs its client: done');

  const parts: SectionResult[] = [];
  for (const mode of quick ? modes.slice(0, 1) : modes) {
    const durationMs = quick ? 200 : 2_000;
    const crowd = await startCrowd(context, { cdkOut: assemblyDirectory, execArgv: mode.execArgv, durationMs, buyers: quick ? 8 : 250 });
    const handler = await startHandler(context, stage, { execArgv: mode.execArgv, durationMs, name: mode.execArgv.join() || 'optimised' });
    parts.push(await measureMode(context, mode, crowd, handler));
    await Promise.all([crowd.stop(), handler.stop()]);
    log(`${mode.name}: done`);
  }
  return {
    rows: [...parts.flatMap(({ rows }) => rows), ...written.rows],
    notes: [
      'The constant comes from a copy of the function, behind the same gateway, authorizer and number of containers, in the same process.',
      'Client, runtime, Redis and database share the machine’s cores. Orders are of one unit, paid from outside, by buyers with a limit; what follows from ' +
        'them (stream, events, views) runs at the same time and counts as the runtime’s CPU.',
      'Called in process, the handler gets the event as JSON text and its result is made JSON text, as in its container; its tokens are verified by nobody.',
      'Shares are of sampled time that was not idle: through the runtime, of the thread that listens and of the containers of the function that places orders.',
      ...new Set(parts.flatMap(({ notes }) => notes)),
      ...written.notes,
    ],
    faults: parts.flatMap(({ faults }) => faults),
  };
}

async function measureMode(context: BenchContext, mode: Mode, crowd: Crowd, handler: Handler): Promise<SectionResult> {
  for (const kind of requestKinds) await crowd.send(kind, 'warm-up');
  for (const kind of callKinds) await handler.call(kind);
  const sent = new Map<RequestKind, Sent[]>(requestKinds.map((kind) => [kind, []]));
  const called = new Map<CallKind, Called[]>(callKinds.map((kind) => [kind, []]));
  await interleave(context, candidates, async (candidate, round) => {
    if (candidate.by === 'http') sent.get(candidate.kind)?.push(await crowd.send(candidate.kind, String(round)));
    else called.get(candidate.kind)?.push(await handler.call(candidate.kind));
  });
  const shares = await profiles(mode, crowd, handler);
  const unexpected = [...crowd.unexpected, ...handler.unexpected];
  // A busy machine may answer TRY_AGAIN, which is right, and no figure of an order.
  const isRight = (line: string) => line.includes('TRY_AGAIN');
  return {
    rows: [...rowsOfSent(mode, sent, called), ...rowsOfCalled(mode, called), ...shares.rows],
    notes: [...shares.notes, ...unexpected.filter(isRight)],
    faults: unexpected.filter((line) => !isRight(line)),
  };
}

function rowsOfSent({ name, execArgv }: Mode, sent: ReadonlyMap<RequestKind, Sent[]>, called: ReadonlyMap<CallKind, Called[]>): Row[] {
  const group = `64 connections, ${name}`;
  const of = (kind: RequestKind, figure: (each: Sent) => number) => (sent.get(kind) ?? []).map(figure);
  const row = (kind: RequestKind, what: string, unit: string, figure: (each: Sent) => number): Row => {
    const { median, spread } = summaryOf(of(kind, figure));
    const ratio = ratioOf(of(kind, figure), of('constant', figure));
    const ratioTo = kind === 'constant' ? {} : { ratioTo: { what: `constant${what}`, value: ratio.median, spread: ratio.spread } };
    return { group, what: `${kind}${what}`, value: median, unit, spread, ...ratioTo };
  };
  const rate = (each: Sent) => each.perSecond;
  const refusedRatio = ratioOf(of('refused', rate), of('constant', rate));
  const goal = {
    name: 'POST /orders refused through the embedded runtime ÷ the same runtime answering a constant POST',
    ...{ atLeast: 0.5, stretch: 0.7, direction: 'higher' as const },
  };
  const isAsStarted = execArgv.length > 0;
  return [
    ...requestKinds.map((kind) => row(kind, '', 'requests/s', rate)),
    {
      group,
      what: 'refused ÷ constant',
      value: refusedRatio.median,
      unit: '×',
      spread: refusedRatio.spread,
      ...(isAsStarted ? { goal } : {}),
    },
    ...callKinds.map((kind): Row => {
      const ratio = ratioOf(of(kind, rate), (called.get(kind) ?? []).map(perSecondOf));
      return { group, what: `${kind} ÷ the handler called in process`, value: ratio.median, unit: '×', spread: ratio.spread };
    }),
    ...requestKinds.map((kind) => row(kind, ', p99', 'ms', (each) => each.latencyMs.p99)),
    ...requestKinds.map((kind) => row(kind, ', CPU of the runtime', 'µs', (each) => each.cpu.runtime)),
    ...requestKinds.map((kind) => row(kind, ', CPU of the client', 'µs', (each) => each.cpu.client)),
    ...callKinds.map((kind) => withoutRatio(row(kind, ', CPU of Redis', 'µs', (each) => each.cpu.redis))),
    ...(of('placed', ({ cpu }) => cpu.database ?? Number.NaN).every(Number.isFinite)
      ? [withoutRatio(row('placed', ', CPU of the database', 'µs', (each) => each.cpu.database ?? 0))]
      : []),
  ];
}

const withoutRatio = ({ ratioTo: _, ...row }: Row): Row => row;
const perSecondOf = ({ calls, elapsedMs }: Called): number => (1_000 * calls) / elapsedMs;

function rowsOfCalled({ name }: Mode, called: ReadonlyMap<CallKind, Called[]>): Row[] {
  const group = `the handler called in process, 64 at once, ${name}`;
  return callKinds.flatMap((kind) => {
    const all = called.get(kind) ?? [];
    const [rate, micros] = [summaryOf(all.map(perSecondOf)), summaryOf(all.map(({ calls, cpuMicros }) => cpuMicros / calls))];
    return [
      { group, what: kind, value: rate.median, unit: 'calls/s', spread: rate.spread },
      { group, what: `${kind}, CPU`, value: micros.median, unit: 'µs', spread: micros.spread },
    ];
  });
}

async function profiles({ name }: Mode, crowd: Crowd, handler: Handler): Promise<{ rows: Row[]; notes: string[] }> {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const kind of callKinds) {
    const { frontEnd, containers } = await crowd.profile(kind);
    const all = together([sharesOf(frontEnd, ofFrontEnd), ...containers.map((each) => sharesOf(each, ofContainer))]);
    rows.push(...rowsOfShares(`where the time of a ${kind} request goes, ${name}`, all));
    const profile = await handler.profile(kind);
    rows.push(...rowsOfShares(`where the time of a ${kind} call in process goes, ${name}`, sharesOf(profile, ofContainer)));
    notes.push(`A ${kind} call in process (${name}) by package: ${topOf(profile)}.`);
  }
  return { rows, notes };
}

const rowsOfShares = (group: string, shares: Shares): Row[] =>
  percentages(shares).map(([what, value]) => ({ group, what, value, unit: '%' }));
