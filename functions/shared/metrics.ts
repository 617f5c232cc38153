import type { Clock } from './clock.ts';

/** The namespace of all our metrics. */
export const metricNamespace = 'Stampede';

/** Every metric of ours: its unit, and the dimension that its values are told apart by. One list for what is counted and for what is watched. */
export const metrics = {
  /** From what an event tells until its consumer has it. */
  EventLag: { unit: 'Milliseconds', dimension: 'Consumer' },
  /** From a row's commit until its events are on the bus. */
  OutboxLag: { unit: 'Milliseconds', dimension: 'Publisher' },
  /** Rows that were not published and are tried again. */
  OutboxFailures: { unit: 'Count', dimension: 'Publisher' },
  /** Rows that were given up, to be seen among the dead letters. */
  OutboxSetAside: { unit: 'Count', dimension: 'Publisher' },
  /** 1 for a lease that somebody else had or that was lost, 0 for one that was free: its average is the share that met another. */
  LeaseContended: { unit: 'Count', dimension: 'Purpose' },
  LeaseWait: { unit: 'Milliseconds', dimension: 'Purpose' },
  /** Races for an order's version that one step lost before it was decided, by the status it began from. Steps that lost none say nothing. */
  LostRaces: { unit: 'Count', dimension: 'From' },
  /** Attempts of one transaction that met another one, or a busy database. Transactions that went through at once say nothing. */
  TransactionRetries: { unit: 'Count', dimension: 'Reason' },
  /** What the reconciler has put right, by the kind of drift. */
  Repairs: { unit: 'Count', dimension: 'Kind' },
  /** Payments from outside that have to be paid back, because they did not pay their order. */
  PaymentsReturned: { unit: 'Count', dimension: 'Order' },
} as const satisfies Record<string, { readonly unit: 'Count' | 'Milliseconds'; readonly dimension: string }>;

export type MetricName = keyof typeof metrics;

/** CloudWatch takes so many values of one metric in one line. */
const valuesMax = 100;

/** Where lines go: to standard output, from where Lambda hands to CloudWatch what is JSON already as it is. */
export type WriteLine = (line: string) => void;
const toStandardOutput: WriteLine = (line) => void process.stdout.write(`${line}\n`);

export interface MeasureOptions {
  readonly clock?: Clock;
  readonly write?: WriteLine;
}

/**
 * A metric in CloudWatch's embedded metric format: a log line that CloudWatch takes values from, with no call and no wait. `of` is the value of
 * the metric's dimension. The values of one batch belong in one call: a line holds up to 100 of them, of more the rest goes into further lines.
 * No values, no line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function measure(
  name: MetricName,
  of: string,
  values: number | readonly number[],
  { clock = { nowMs: Date.now }, write = toStandardOutput }: MeasureOptions = {},
): void {
  const { unit, dimension } = metrics[name];
  const all = typeof values === 'number' ? [values] : values;
  for (let first = 0; first < all.length; first += valuesMax) {
    const some = all.slice(first, first + valuesMax);
    const directive = { Namespace: metricNamespace, Dimensions: [[dimension]], Metrics: [{ Name: name, Unit: unit }] };
    write(
      JSON.stringify({
        level: 'info',
        message: 'metric',
        [dimension]: of,
        [name]: some.length === 1 ? some[0] : some,
        _aws: { Timestamp: clock.nowMs(), CloudWatchMetrics: [directive] },
      }),
    );
  }
}
