import { createHash } from 'node:crypto';
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  type SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { again, untilSettled } from '../shared/retry.ts';
import type { EdgeName } from './capacity.model.ts';
import type { Schedules } from './capacity.ports.ts';

export interface ScheduleTarget {
  /** The group that the schedules are in; nothing else is. */
  readonly group: string;
  /** The function that they invoke, and the role that may do so. */
  readonly functionArn: string;
  readonly roleArn: string;
}

const secondMs = 1_000;
/** A run that came to nothing is made good by the next rate run: hours of retries would be about a level long past. */
const retryPolicy = { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 900 };

/** A schedule's name has 64 characters, which a sale's id may have by itself, so it is named from the id's hash. */
export const scheduleName = (saleId: string, name: EdgeName): string =>
  `${createHash('sha256').update(saleId).digest('hex').slice(0, 40)}-${name}`;

/** A moment as a one-time schedule says it, in UTC: whole seconds, and never before the moment. */
export const atExpression = (atMs: number): string =>
  `at(${new Date(Math.ceil(atMs / secondMs) * secondMs).toISOString().replace(/\.\d{3}Z$/, '')})`;

/** One-time schedules in EventBridge Scheduler, which go by themselves once they have called. */
export function saleSchedules(client: SchedulerClient, { group, functionArn, roleArn }: ScheduleTarget): Schedules {
  const inputOf = (saleId: string, name: EdgeName, atMs: number): CreateScheduleCommandInput => ({
    Name: scheduleName(saleId, name),
    GroupName: group,
    Description: `${name} ${saleId}`,
    ScheduleExpression: atExpression(atMs),
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: { Arn: functionArn, RoleArn: roleArn, Input: JSON.stringify({ saleId, edge: name }), RetryPolicy: retryPolicy },
  });

  return {
    async put(saleId, name, atMs) {
      const input = inputOf(saleId, name, atMs);
      await untilSettled(async () => {
        if (await unless(ConflictException, client.send(new CreateScheduleCommand(input)))) return 'created';
        // Between the two calls it may have done its work and gone.
        return (await unless(ResourceNotFoundException, client.send(new UpdateScheduleCommand(input)))) ? 'moved' : again;
      });
    },
    async remove(saleId, name) {
      const gone = client.send(new DeleteScheduleCommand({ Name: scheduleName(saleId, name), GroupName: group }));
      await unless(ResourceNotFoundException, gone);
    },
  };
}

/** Whether the call was done: false when it met this error. */
async function unless(Expected: typeof ConflictException | typeof ResourceNotFoundException, call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof Expected) return false;
    throw error;
  }
}
