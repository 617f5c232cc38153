import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { StampedeFunction } from './function.ts';
import type { Platform } from './platform.ts';

/** Shows operators what is stuck in the queues of dead letters, and sends it back. Made after all of them: it knows those that there are by then. */
export class DeadLetters extends Construct {
  readonly function: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.function = new StampedeFunction(this, 'Operations', {
      platform,
      entry: 'functions/operations/dead-letter.handler.ts',
      description: 'Shows dead letters and sends them back',
      access: {
        outbox: { actions: ['BatchGetItem', 'UpdateItem'], indexes: { unpublished: ['Query'] } },
        failures: { actions: ['BatchGetItem'] },
      },
      // Below the gateway's own 30 s, so that the caller gets our answer.
      timeoutSeconds: 29,
      memoryMegabytes: 512,
      runbook: 'Operators can’t see or redrive dead letters. Nothing else depends on it: the queues can be redriven in the console of SQS.',
    });
    const { lambda } = this.function;
    const queues = platform.operations.deadLetterQueues;
    const allow = (actions: string[], resources: string[]) =>
      lambda.addToRolePolicy(new PolicyStatement({ actions: actions.map((action) => `sqs:${action}`), resources }));
    allow(
      ['ReceiveMessage', 'ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes'],
      queues.map(({ dead }) => dead.queueArn),
    );
    allow(
      ['SendMessage'],
      queues.flatMap(({ source }) => (source ? [source.queueArn] : [])),
    );
    const named = queues.map(({ name, dead, source }) => ({
      name,
      deadUrl: dead.queueUrl,
      ...(source ? { sourceUrl: source.queueUrl } : {}),
    }));
    lambda.addEnvironment('DEAD_LETTER_QUEUES', Stack.of(this).toJsonString(named));
  }
}
