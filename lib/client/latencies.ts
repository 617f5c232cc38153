import { build } from 'hdr-histogram-js';

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Durations in milliseconds, kept as a histogram of microseconds with 3 significant digits, so that a large crowd costs no more memory than a small one. */
export class Latencies {
  readonly #histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: 3 });

  record(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(ms * 1_000)));
  }

  /** In milliseconds. */
  percentiles(): Percentiles {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1_000;
    return { p50: at(50), p90: at(90), p99: at(99), max: this.#histogram.maxValue / 1_000 };
  }
}
