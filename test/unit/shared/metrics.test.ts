import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MetricName, measure, metricNamespace, metrics } from '../../../functions/shared/metrics.ts';

interface Line extends Record<string, unknown> {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

function linesOf(name: MetricName, of: string, values: number | readonly number[]): Line[] {
  const lines: string[] = [];
  measure(name, of, values, { clock: { nowMs: () => 1_700_000_000_000 }, write: (line) => lines.push(line) });
  return lines.map((line) => JSON.parse(line) as Line);
}

describe('a metric', () => {
  it('is a line that CloudWatch can take values from: each metric and dimension that it names stands beside it', () => {
    for (const [name, { unit, dimension }] of Object.entries(metrics)) {
      const [line] = linesOf(name as MetricName, 'payment', 42);
      expect(line?._aws).toEqual({
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [{ Namespace: metricNamespace, Dimensions: [[dimension]], Metrics: [{ Name: name, Unit: unit }] }],
      });
      expect(line).toMatchObject({ [name]: 42, [dimension]: 'payment' });
    }
  });

  it('loses no value and has at most a hundred in a line, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 350 }), (values) => {
        const lines = linesOf('EventLag', 'payment', values).map(({ EventLag }) => [EventLag].flat());
        expect(lines.flat()).toEqual(values);
        expect(lines.every((each) => each.length >= 1 && each.length <= 100)).toBe(true);
      }),
    );
  });
});
