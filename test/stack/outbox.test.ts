import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricNamespace } from '../../functions/shared/metrics.ts';
import { buildApp } from '../../lib/app.ts';
import { outboxModeNames, UnknownOutboxMode } from '../../lib/constructs/outbox-publishers.ts';
import { type Properties, type Resource, type Synthesised, synthesised, target } from './synthesised.ts';

const modes = ['stream', 'both', 'polling'] as const;
const stacksOf = new Map<string, Synthesised>();
beforeAll(() => {
  for (const outboxMode of modes) stacksOf.set(outboxMode, synthesised({ outboxMode }));
}, 360_000);
afterAll(() => {
  for (const stacks of stacksOf.values()) stacks.remove();
});

function stacks(mode: (typeof modes)[number] = 'stream'): Synthesised {
  const found = stacksOf.get(mode);
  if (!found) throw new Error(`${mode} was not synthesised`);
  return found;
}

const functionsIn = (synthesis: Synthesised) => synthesis.of('AWS::Lambda::Function');
const streamMappings = (synthesis: Synthesised) =>
  synthesis.of('AWS::Lambda::EventSourceMapping').filter(({ properties }) => properties.StartingPosition);
/** Functions that are told how to write outbox rows, and how. */
const told = (synthesis: Synthesised) =>
  new Map(
    functionsIn(synthesis).flatMap(({ path, properties }) => {
      const { OUTBOX_MODE } = properties.Environment.Variables;
      return OUTBOX_MODE === undefined ? [] : [[path, OUTBOX_MODE]];
    }),
  );

describe('the outbox', () => {
  it('is published by the stream alone, by the poller alone, or on the way between by both, as all who write to it are told', () => {
    expect([...outboxModeNames].sort()).toEqual([...modes].sort());
    expect(modes.map((mode) => streamMappings(stacks(mode)).length)).toEqual([1, 1, 0]);
    expect(modes.map((mode) => [...new Set(told(stacks(mode)).values())])).toEqual([['stream'], ['polling'], ['polling']]);
  });

  it('tells every function that may write a row, whatever else it does', () => {
    const writers = functionsIn(stacks()).filter(({ properties }) => properties.Environment.Variables.ORDERS_TABLE !== undefined);
    const readers = writers.filter(({ properties }) => properties.Environment.Variables.OUTBOX_TABLE === undefined);
    for (const { path } of writers.filter((each) => !readers.includes(each))) expect(told(stacks()).get(path), path).toBe('stream');
  });

  it('has a poller in every mode, so that no row of another mode is forgotten, and it is missed when it does not run', () => {
    for (const mode of modes) {
      const schedule = stacks(mode)
        .of('AWS::Scheduler::Schedule')
        .find(({ properties }) => JSON.parse(properties.Target.Input).schedule === 'outbox');
      expect(schedule?.properties, mode).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
      const poller = functionsIn(stacks(mode)).find(({ id }) => id === target(schedule?.properties.Target.Arn));
      // Longer than a minute: the next run begins before this one ends.
      expect(poller?.properties.Timeout, mode).toBeGreaterThan(60);
      const absent = alarms(mode).filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
      expect(absent.map(({ Dimensions }) => Dimensions[0].Value.Ref)).toContain(poller?.id);
    }
  });

  it('keeps what the stream gave up when the stream is no longer listened to', () => {
    for (const mode of modes)
      expect(
        stacks(mode)
          .of('AWS::SQS::Queue')
          .map(({ path }) => path),
      ).toContain('Messaging/Undelivered');
  });

  it('is never synthesised in a mode that there is not', () => {
    expect(() => buildApp({ outdir: stacks().directory, outboxMode: 'pulling' })).toThrow(UnknownOutboxMode);
  });
});

const alarms = (mode: (typeof modes)[number] = 'stream'): Properties[] =>
  stacks(mode)
    .of('AWS::CloudWatch::Alarm')
    .map(({ properties }) => properties);

describe('dead letters', () => {
  it('of every queue are an operator’s to see, and go back to the very queue that they came from', () => {
    const queues = stacks().of('AWS::SQS::Queue');
    const [operations] = functionsIn(stacks()).filter(({ path }) => path.startsWith('DeadLetters/'));
    const [, parts] = operations?.properties.Environment.Variables.DEAD_LETTER_QUEUES['Fn::Join'] ?? [];
    const known = JSON.parse(parts.map((part: string | { Ref: string }) => (typeof part === 'string' ? part : part.Ref)).join(''));
    const sources = new Map(
      queues.flatMap(({ id, properties }) =>
        properties.RedrivePolicy ? [[target(properties.RedrivePolicy.deadLetterTargetArn), id]] : [],
      ),
    );
    const isDead = ({ id, properties }: Resource) => sources.has(id) || properties.RedrivePolicy === undefined;
    expect(known.map(({ deadUrl }: Properties) => deadUrl).sort()).toEqual(
      queues
        .filter(isDead)
        .map(({ id }) => id)
        .sort(),
    );
    for (const { name, deadUrl, sourceUrl } of known) expect(sourceUrl, name).toBe(sources.get(deadUrl));
    const names = known.map(({ name }: Properties) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['payment', 'order-views', 'rebuilds', 'outbox']));
  });
});

describe('what is watched', () => {
  const ours = () => alarms().filter(({ Namespace }) => Namespace === metricNamespace);
  const dashboard = () => JSON.stringify(stacks().of('AWS::CloudWatch::Dashboard')[0]?.properties.DashboardBody);

  it('alarms on contention, and on events that are given up', () => {
    const watched = ours().map(({ MetricName, Dimensions }) => [MetricName, Dimensions[0].Value]);
    expect(watched).toEqual(
      expect.arrayContaining([
        ['OutboxSetAside', 'poller'],
        ['TransactionRetries', 'conflict'],
        ['TransactionRetries', 'throttled'],
        ['LeaseContended', 'rebuild'],
      ]),
    );
  });

  it('alarms on events that are late, whoever publishes them', () => {
    const names = (mode: (typeof modes)[number]) => alarms(mode).map(({ MetricName }) => MetricName);
    expect(names('stream')).toContain('IteratorAge');
    expect(names('polling')).toContain('OutboxLag');
    expect(names('polling')).not.toContain('IteratorAge');
  });

  it('shows how far every consumer is behind, and how often several were at the same thing', () => {
    const consumers = stacks()
      .of('AWS::SQS::Queue')
      .filter(({ path }) => path.endsWith('/Queue') && !path.startsWith('Rebuilds/'));
    expect(dashboard().split('\\"EventLag\\"').length - 1).toBe(2 * consumers.length);
    for (const metric of ['LostRaces', 'TransactionRetries', 'LeaseContended', 'LeaseWait', 'OutboxLag'])
      expect(dashboard()).toContain(metric);
  });
});
