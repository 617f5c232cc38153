import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IAlarmAction,
  type IMetric,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Aws, CfnCondition, CfnParameter, Fn } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';

export interface AlarmOptions {
  readonly metric: IMetric;
  /** What it means and what to do: shown to whoever is woken. */
  readonly runbook: string;
  /** The alarm goes off at this value and above. */
  readonly threshold?: number;
  readonly periods?: number;
  /** For things that must happen: silence is the alarm, and so is less than the threshold. */
  readonly mustHappen?: boolean;
}

/** Where messages end that nobody could handle. */
export interface DeadLetterQueue {
  /** As operators know it. */
  readonly name: string;
  readonly dead: Queue;
  /** Where they came from, and may be sent back to. */
  readonly source?: Queue;
}

/** The parameter's way to say that there is none: an empty ARN would fail CloudFormation's own checks. */
const noTopic = 'none';

/** Where alarms report to, and the page that shows the system. Whoever owns a queue or function adds its own alarms and graphs. */
export class Operations extends Construct {
  readonly #dashboard: Dashboard | undefined;
  readonly #action: IAlarmAction | undefined;
  readonly #deadLetters: DeadLetterQueue[] = [];

  /** Nothing is made where nobody watches. */
  constructor(scope: Construct, id: string, { isWatched }: { readonly isWatched: boolean }) {
    super(scope, id);
    if (!isWatched) return;
    const topic = new CfnParameter(this, 'AlarmTopicArn', {
      default: noTopic,
      description: `SNS topic that alarms notify; they only show while it is ${noTopic}`,
    });
    topic.overrideLogicalId('AlarmTopicArn');
    const hasTopic = new CfnCondition(this, 'HasAlarmTopic', { expression: Fn.conditionNot(Fn.conditionEquals(topic, noTopic)) });
    this.#action = { bind: () => ({ alarmActionArn: Fn.conditionIf(hasTopic.logicalId, topic.valueAsString, Aws.NO_VALUE).toString() }) };
    this.#dashboard = new Dashboard(this, 'Dashboard');
  }

  alarm(scope: Construct, id: string, { metric, runbook, threshold = 1, periods = 1, mustHappen = false }: AlarmOptions): void {
    if (!this.#action) return;
    const alarm = new Alarm(scope, id, {
      metric,
      alarmDescription: runbook,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: mustHappen ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: mustHappen ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#action);
  }

  /** Lets operators see what ends in a queue of dead letters, and send it back. */
  deadLetters(name: string, queues: Omit<DeadLetterQueue, 'name'>): void {
    this.#deadLetters.push({ name, ...queues });
  }

  /** All queues of dead letters that there are by now. */
  get deadLetterQueues(): readonly DeadLetterQueue[] {
    return this.#deadLetters;
  }

  /** One row of the dashboard: a heading and its graphs side by side. */
  show(heading: string, graphs: Readonly<Record<string, readonly IMetric[]>>): void {
    if (!this.#dashboard) return;
    const width = Math.floor(24 / Math.max(1, Object.keys(graphs).length));
    this.#dashboard.addWidgets(new TextWidget({ markdown: `## ${heading}`, width: 24, height: 1 }));
    this.#dashboard.addWidgets(...Object.entries(graphs).map(([title, left]) => new GraphWidget({ title, left: [...left], width })));
  }
}
