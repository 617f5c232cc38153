import type { Random } from '../../test/simulation/random.ts';
import type { BenchRedis, BenchRedisOptions } from './redis-server.ts';
import type { Spread } from './statistics.ts';

// What a part of the bench is given and gives back. A section lives in `bench/<name>/section.ts` and exports `section`; `bench/lib/sections.ts`
// names them all.

export interface Section {
  /** As `--only` takes it. */
  readonly name: string;
  /** One line for the reader of the table. */
  readonly title: string;
  /**
   * Measures. What it starts it stops itself, or hands to `context.onStop`: that happens at its end, however it ends. Throws `CannotStart` (of
   * lib/local/child.ts) with a sentence that says what to do when it can't run here.
   */
  run(context: BenchContext): Promise<SectionResult>;
}

export interface BenchContext {
  /** The smallest sizes that still go the whole way: what comes out is worthless, that it comes out is not. */
  readonly quick: boolean;
  /** How often each thing is measured, interleaved with the others. */
  readonly rounds: number;
  readonly seed: number;
  readonly random: Random;
  /** Aborted by Ctrl-C. Long loops look at it. */
  readonly signal: AbortSignal;
  /** A line for whoever waits. */
  log(line: string): void;
  /** A native Redis of the section's own, without persistence, stopped at the section's end. Throws `CannotStart` without one. */
  redis(options?: BenchRedisOptions): Promise<BenchRedis>;
  /** Runs at the section's end, last registered first. */
  onStop(stop: () => Promise<void> | void): void;
}

export interface SectionResult {
  readonly rows: readonly Row[];
  /** What a reader must know to take the figures for what they are. */
  readonly notes: readonly string[];
  /** What is wrong with what this project ships: oversold, duplicate, leaked, wrongly refused, an answer that should not be. Each makes the run fail. */
  readonly faults: readonly string[];
  /** What the picture shows of the section. */
  readonly panels?: readonly Panel[];
}

export interface Row {
  /** A heading that rows next to each other share. `Goals`: shown in the table of goals alone. */
  readonly group?: string;
  /** What was measured: unique within its group, or together with `figure`. */
  readonly what: string;
  /** Which figure of it, where there are several: rows of a group that have this are shown as one line a `what`, a column a figure. */
  readonly figure?: string;
  /** The median over the rounds. */
  readonly value: number;
  /** `µs`, `calls/s`, `ms`, `kB`, `%`; `×` for a ratio. */
  readonly unit: string;
  /** Over the rounds; none for what is counted and not measured. */
  readonly spread?: Spread;
  /** The same as a ratio to another `what` of the group: measured in the same rounds, the median of the rounds' ratios. */
  readonly ratioTo?: { readonly what: string; readonly value: number; readonly spread?: Spread };
  /** A goal of `value`. A goal of a ratio is a row of its own, with unit `×`. */
  readonly goal?: Goal;
}

export interface Goal {
  /** As the table of goals says it. */
  readonly name: string;
  readonly atLeast: number;
  readonly stretch: number;
  /** Which way is better. */
  readonly direction: 'higher' | 'lower';
}

/** A plot on a logarithmic scale. Values that are not above zero are left out of it. */
export type Panel = BarPanel | LinePanel;

export interface BarPanel {
  readonly kind: 'bars';
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly spread?: Spread;
  /** What this project ships, set off from what it is compared with. */
  readonly ours?: boolean;
  /** Said beside the bar: what goes wrong with it. */
  readonly remark?: string;
}

export interface LinePanel {
  readonly kind: 'lines';
  readonly title: string;
  readonly xLabel: string;
  readonly unit: string;
  readonly series: readonly {
    readonly label: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly spread?: Spread }[];
  }[];
}
