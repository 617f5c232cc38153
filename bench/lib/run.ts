import { randomOf } from '../../test/simulation/random.ts';
import { machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { startBenchRedis } from './redis-server.ts';
import type { Report, SectionReport } from './report.ts';
import type { BenchContext, Section } from './section.ts';
import { sections } from './sections.ts';

export interface Running {
  readonly signal: AbortSignal;
  log(line: string): void;
  /** Hears of each section as soon as it is over. */
  onSection(report: SectionReport): void;
}

/** Runs the sections one after the other. Throws what a section throws, once all that it started is stopped. */
export async function runBench(options: Omit<BenchOptions, 'json' | 'svg' | 'writes'>, running: Running): Promise<Report> {
  const { seed, rounds, quick, only } = options;
  const measuredAt = new Date().toISOString();
  const startMs = performance.now();
  const reports: SectionReport[] = [];
  for (const name of Object.keys(sections).filter((each) => only.includes(each))) {
    const loaded = await sections[name]?.();
    if (!loaded) continue;
    const report = await runSection(loaded.section, options, running);
    reports.push(report);
    running.onSection(report);
  }
  const isWhole = only.length === Object.keys(sections).length;
  const seconds = secondsSince(startMs);
  return { seed, rounds, quick, ...(isWhole ? {} : { only }), measuredAt, seconds, machine: machine(), sections: reports };
}

/** Exported for tests, which run one section by itself. */
export async function runSection(
  section: Section,
  { quick, rounds, seed }: Pick<BenchOptions, 'quick' | 'rounds' | 'seed'>,
  { signal, log }: Pick<Running, 'signal' | 'log'>,
): Promise<SectionReport> {
  const stops: (() => Promise<void> | void)[] = [];
  const context: BenchContext = {
    quick,
    rounds,
    seed,
    random: randomOf(seed).fork(section.name),
    signal,
    log: (line) => log(`${section.name}: ${line}`),
    async redis(redisOptions) {
      const redis = await startBenchRedis(redisOptions);
      let stopping: Promise<void> | undefined;
      const stop = () => {
        stopping ??= redis.stop();
        return stopping;
      };
      stops.push(stop);
      return { ...redis, stop };
    },
    onStop: (stop) => void stops.push(stop),
  };
  const startMs = performance.now();
  try {
    const result = await section.run(context);
    return { name: section.name, title: section.title, seconds: secondsSince(startMs), ...result };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

const secondsSince = (startMs: number): number => (performance.now() - startMs) / 1_000;
