/** Of one figure over the rounds. */
export interface Spread {
  readonly min: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly max: number;
  readonly samples: number;
}

export interface Summary {
  readonly median: number;
  readonly spread: Spread;
}

/** The value below which `share` of the sorted values lie, between neighbours by their distance (type 7 of Hyndman and Fan, R's default). */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Throws when there is nothing to summarise. */
export function summaryOf(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('no values to summarise');
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    spread: {
      min: quantile(sorted, 0),
      lowerQuartile: quantile(sorted, 0.25),
      upperQuartile: quantile(sorted, 0.75),
      max: quantile(sorted, 1),
      samples: sorted.length,
    },
  };
}

export const medianOf = (values: readonly number[]): number => summaryOf(values).median;

/** Round by round, so that what slowed down a whole round slowed down both: the median of the ratios, not the ratio of the medians. */
export function ratioOf(values: readonly number[], bases: readonly number[]): Summary {
  if (values.length !== bases.length) throw new Error(`${values.length} values and ${bases.length} to compare them with`);
  return summaryOf(values.map((value, round) => value / (bases[round] ?? Number.NaN)));
}
