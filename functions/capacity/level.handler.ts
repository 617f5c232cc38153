import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { saleRepository } from '../sales/sale.repository.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { tables } from '../shared/tables.ts';
import { log } from '../shared/telemetry.ts';
import { Prewarm } from './capacity.model.ts';
import type { LevelPorts } from './capacity.ports.ts';
import { bringToLevel } from './level.ts';
import { readyEnvironments } from './ready-environments.ts';
import { warmTables } from './warm-tables.ts';

const environment = readEnvironment([
  'SALES_TABLE',
  'ORDERS_TABLE',
  'UNITS_TABLE',
  'ALLOWANCES_TABLE',
  'OUTBOX_TABLE',
  'OUTBOX_MODE',
  'PREWARM',
  'RESERVE_ALIAS_ARN',
]);

const ports: LevelPorts = {
  sales: saleRepository(connectDatabase(), environment.SALES_TABLE),
  environments: readyEnvironments(new LambdaClient(clientDefaults), environment.RESERVE_ALIAS_ARN),
  tables: warmTables(DynamoDBDocumentClient.from(new DynamoDBClient(clientDefaults)), [
    { table: environment.ORDERS_TABLE, indexes: Object.keys(tables.orders.indexes) },
    { table: environment.UNITS_TABLE, indexes: [] },
    { table: environment.ALLOWANCES_TABLE, indexes: [] },
    // A row enters the index only where a poller is to publish it.
    { table: environment.OUTBOX_TABLE, indexes: environment.OUTBOX_MODE === 'polling' ? Object.keys(tables.outbox.indexes) : [] },
  ]),
  wants: Prewarm.parse(JSON.parse(environment.PREWARM)),
  clock: systemClock,
};

/** Called by schedules of sales, at a rate, and by whoever has changed a sale. Why it was called makes no difference. */
export async function handler(): Promise<{ readonly concurrency: number; readonly writeUnits: number }> {
  const { concurrency, writeUnits } = await bringToLevel(ports);
  log.info('at the level', { concurrency, writeUnits });
  return { concurrency, writeUnits };
}
