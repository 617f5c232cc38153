import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isClean } from '../../lib/client/verdict.ts';
import { type Random, randomOf } from '../simulation/random.ts';
import { Deck } from './deck.ts';
import type { FaultKind } from './faults.ts';
import { runSale, type SalePlan, type SaleReport } from './sale.ts';
import { unlessAborted } from './unless-aborted.ts';
import { startWorld, type World } from './world.ts';

export interface RunOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface RunReport {
  readonly seed: number;
  readonly minutes: number;
  readonly sales: readonly (Omit<SaleReport, 'evidence' | 'verdict'> &
    Pick<SaleReport['verdict'], 'tally'> & { readonly broken: readonly string[] })[];
  /** Injections that met something, by kind. */
  readonly injections: Readonly<Record<string, number>>;
  /** How much of it there was: kills, connections, calls, messages. */
  readonly effects: Readonly<Record<string, number>>;
  readonly killsSurvived: number;
  readonly unitsSold: number;
  readonly unitsOnSale: number;
  readonly oversold: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly ledgerDifference: number;
  readonly isClean: boolean;
}

const faultsPerSale = 4;
/** When not every kind has met something in the time given, the run goes on, but not for ever. */
const overtimeFactor = 3;
const overtimeMinutes = 12;

export const planOf = (seed: number, number: number, faults: readonly FaultKind[], random: Random): SalePlan => ({
  saleId: `chaos-${seed}-${number}`,
  strategy: number % 2 === 0 ? 'charge-first' : 'reserve-first',
  isSeated: number % 3 === 0,
  units: 100 + random.int(100),
  buyers: 110 + random.int(50),
  rushMs: 12_000,
  faults,
});

/** Sale after sale until the time is over and every kind has met something; ends with the first broken one. */
export async function run({ minutes, seed, kinds, say, signal }: RunOptions): Promise<RunReport> {
  const random = randomOf(seed);
  const deck = new Deck(kinds, random.fork('deck'));
  const reports: RunReport['sales'][number][] = [];
  const met = new Map<FaultKind, number>();
  say(`seed ${seed}: starting the runtime, its servers and the proxies before them`);
  const world = await startWorld(random.fork('world'), signal);
  const startMs = performance.now();
  const spent = () => (performance.now() - startMs) / 60_000;
  const isMissing = () => kinds.some((kind) => !met.has(kind));
  const goesOn = () => spent() < minutes || (isMissing() && spent() < minutes * overtimeFactor + overtimeMinutes);
  try {
    for (let number = 1; goesOn(); number++) {
      signal.throwIfAborted();
      const draws = random.fork(`sale ${number}`);
      const plan = planOf(seed, number, deck.deal(faultsPerSale), draws);
      say(
        `sale ${number}: ${plan.saleId}, ${plan.strategy}, ${plan.isSeated ? 'seats' : 'counted'}, ${plan.buyers} buyers, ${plan.units} units`,
      );
      const report = await unlessAborted(runSale(world, plan, draws, say), signal);
      for (const { kind, effects } of report.injected) {
        if (effects > 0) met.set(kind, (met.get(kind) ?? 0) + 1);
        else deck.again(kind);
      }
      const broken = report.verdict.findings.filter(({ holds }) => !holds).map(({ guarantee, detail }) => `${guarantee}: ${detail}`);
      const { evidence: _, verdict, ...rest } = report;
      reports.push({ ...rest, tally: verdict.tally, broken });
      say(
        `  ${report.orders} orders, ${report.acknowledged} acknowledged, ${report.requestsRepeated} requests sent again, at rest after ${Math.round(report.settledMs / 1_000)} s; ${lineOf(report, broken)}`,
      );
      if (broken.length > 0) {
        say(`  what is known of it: ${await keep(world, report)}`);
        break;
      }
    }
  } finally {
    await world.stop();
  }
  return summed(seed, spent(), kinds, reports);
}

const lineOf = ({ verdict, plan }: SaleReport, broken: readonly string[]): string =>
  isClean(verdict.findings)
    ? `clean: ${verdict.tally.sold} of ${plan.units} units sold, ${verdict.findings.length} guarantees checked`
    : `BROKEN:\n${broken.map((line) => `    ${line}`).join('\n')}`;

/** Writes down what a broken sale left; where. */
async function keep(world: World, report: SaleReport): Promise<string> {
  const directory = fileURLToPath(new URL('../../.stampede/chaos/', import.meta.url));
  await mkdir(directory, { recursive: true });
  const path = `${directory}${report.plan.saleId}.json`;
  await writeFile(path, JSON.stringify({ ...report, log: world.runtime.lines }, undefined, 1));
  return path;
}

const kills: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'container-kill',
  'front-end-kill',
  'redis-kill-kept',
  'redis-kill-empty',
  'redis-promotion',
]);

function summed(seed: number, minutes: number, kinds: readonly FaultKind[], sales: RunReport['sales']): RunReport {
  const sum = (figure: (sale: RunReport['sales'][number]) => number) => sales.reduce((total, sale) => total + figure(sale), 0);
  const injectedOf = (kind: FaultKind) =>
    sales.flatMap(({ injected }) => injected).filter((each) => each.kind === kind && each.effects > 0);
  const injections = Object.fromEntries(kinds.map((kind) => [kind, injectedOf(kind).length]));
  const effects = Object.fromEntries(kinds.map((kind) => [kind, injectedOf(kind).reduce((total, each) => total + each.effects, 0)]));
  return {
    ...{ seed, minutes: Math.round(minutes * 10) / 10, sales, injections, effects },
    killsSurvived: kinds.filter((kind) => kills.has(kind)).reduce((total, kind) => total + (effects[kind] ?? 0), 0),
    unitsSold: sum(({ tally }) => tally.sold),
    unitsOnSale: sum(({ plan }) => plan.units),
    oversold: sum(({ tally }) => tally.oversold),
    lost: sum(({ tally }) => tally.lost),
    duplicates: sum(({ tally }) => tally.duplicates),
    ledgerDifference: sum(({ tally }) => tally.ledgerDifference),
    isClean: sales.length > 0 && sales.every(({ broken }) => broken.length === 0) && kinds.every((kind) => (injections[kind] ?? 0) > 0),
  };
}
