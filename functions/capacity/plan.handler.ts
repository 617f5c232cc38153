import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import { saleRepository } from '../sales/sale.repository.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { connectFailures } from '../shared/failures.ts';
import { SaleId } from '../shared/ids.ts';
import { batchConsumer } from '../views/batch.ts';
import { Prewarm } from './capacity.model.ts';
import type { PlanPorts } from './capacity.ports.ts';
import { planSales } from './plan.ts';
import { saleSchedules } from './sale-schedules.ts';

const environment = readEnvironment(['SALES_TABLE', 'PREWARM', 'SCHEDULE_GROUP', 'SCHEDULE_ROLE_ARN', 'CAPACITY_FUNCTION_ARN']);
const lambda = new LambdaClient(clientDefaults);

const ports: PlanPorts = {
  sales: saleRepository(connectDatabase(), environment.SALES_TABLE),
  schedules: saleSchedules(new SchedulerClient(clientDefaults), {
    group: environment.SCHEDULE_GROUP,
    functionArn: environment.CAPACITY_FUNCTION_ARN,
    roleArn: environment.SCHEDULE_ROLE_ARN,
  }),
  async look() {
    await lambda.send(new InvokeCommand({ FunctionName: environment.CAPACITY_FUNCTION_ARN, InvocationType: 'Event', Payload: '{}' }));
  },
  wants: Prewarm.parse(JSON.parse(environment.PREWARM)),
  clock: systemClock,
};

/** Plans the capacity of sales that operators have made, moved or closed. */
export const handler = batchConsumer(z.object({ saleId: SaleId }), planSales(ports), connectFailures());
