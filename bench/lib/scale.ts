/** A logarithmic axis from a whole power of ten to a whole power of ten. */
export interface LogScale {
  /** Where a value stands, in pixels. */
  at(value: number): number;
  /** The powers of ten on it. */
  readonly decades: readonly number[];
}

/** Throws when nothing is above zero. `from` and `to` in pixels; a vertical axis has them the other way round. */
export function logScale(values: readonly number[], from: number, to: number): LogScale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) throw new Error('a logarithmic scale needs a value above zero');
  // A little less than the smallest value: its bar would have no length.
  const first = Math.floor(Math.log10(Math.min(...positive) * 0.9));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return {
    at: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from),
    decades: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)),
  };
}

/** `1`, `1k`, `1M`; `0.01` below one. */
export function decadeText(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(1)));
}
