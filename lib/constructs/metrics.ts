import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { type MetricName, metricNamespace, metrics } from '../../functions/shared/metrics.ts';

/** One of our own metrics, as functions write it: `of` is the value of its dimension. */
export function ourMetric(name: MetricName, of: string, statistic: 'Sum' | 'Maximum' | 'Average' | 'p50' | 'p99'): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName: name,
    dimensionsMap: { [metrics[name].dimension]: of },
    statistic,
    period: Duration.minutes(1),
  });
}
