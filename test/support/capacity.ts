import { createServer, request, type Server } from 'node:http';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readyEnvironments } from '../../functions/capacity/ready-environments.ts';
import { saleSchedules } from '../../functions/capacity/sale-schedules.ts';
import { warmTables } from '../../functions/capacity/warm-tables.ts';
import { clientDefaults } from '../../functions/shared/aws.ts';
import { closeServer, credentials, listenLocally } from '../../lib/local/aws-json.ts';
import { startDatabase } from '../../lib/local/dynamodb.ts';
import { startLambda } from '../../lib/local/lambda.ts';
import { startSchedules } from '../../lib/local/schedules.ts';
import { startWarmThroughputs } from '../../lib/local/warm-throughput.ts';

/** What becomes of a call on its way: it is done and answered, done without an answer, or refused for its number. */
export type Fate = 'answered' | 'reply-lost' | 'throttled';

/** A service behind a way on which things go wrong, call by call; all goes well once the list is at its end. */
export interface Troubled {
  readonly url: string;
  readonly fates: Fate[];
  stop(): Promise<void>;
}

export async function troubled(target: string): Promise<Troubled> {
  const fates: Fate[] = [];
  const server: Server = createServer((incoming, response) => {
    const fate = fates.shift() ?? 'answered';
    if (fate === 'throttled') {
      const body = JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' });
      incoming.resume();
      return void response
        .writeHead(400, { 'x-amzn-errortype': 'ThrottlingException', 'content-type': 'application/x-amz-json-1.0' })
        .end(body);
    }
    const { hostname, port } = new URL(target);
    const options = { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers };
    const onward = request(options, (answer) => {
      if (fate === 'reply-lost') {
        answer.resume();
        answer.once('end', () => incoming.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  return { url: await listenLocally(server), fates, stop: () => closeServer(server) };
}

export const aliasArn = 'arn:aws:lambda:eu-central-1:000000000000:function:reserve:live';
const capacityArn = 'arn:aws:lambda:eu-central-1:000000000000:function:capacity';
export const group = 'Stampede-Capacity';
const placed = { logicalId: 'one', stack: 'Stampede', properties: {} };

/** The services that capacity is asked of, as the embedded runtime has them, each behind a troubled way; and the adapters that ship. */
export async function startCapacityServices({ nowMs, lookMs = 20 }: { readonly nowMs: () => number; readonly lookMs?: number }) {
  const calls: unknown[] = [];
  const onLog = () => {};
  const invoke = async (input: unknown) => void calls.push(input);
  const database = await startDatabase();
  const schedules = await startSchedules(
    { scheduleGroups: [{ ...placed, name: group, arn: '' }] },
    { functionOf: () => ({ invoke }), nowMs, onLog, lookMs },
  );
  schedules.begin();
  const aliases = [{ ...placed, name: 'live', arn: aliasArn, properties: { FunctionName: 'reserve', FunctionVersion: '1', Name: 'live' } }];
  const byName = (name: string) => ({ invoke, arn: name });
  const lambda = await startLambda({ aliases }, { byName, warm: async () => {}, onLog });
  const warmth = await startWarmThroughputs(database.endpoint, onLog);
  const ways = { scheduler: await troubled(schedules.url), lambda: await troubled(lambda.url), database: await troubled(warmth.url) };

  const settings = { ...clientDefaults, region: 'eu-central-1', credentials };
  const clients = {
    scheduler: new SchedulerClient({ ...settings, endpoint: ways.scheduler.url }),
    lambda: new LambdaClient({ ...settings, endpoint: ways.lambda.url }),
    dynamodb: new DynamoDBClient({ ...settings, endpoint: ways.database.url }),
  };
  const key = (name: string, index?: string) => [
    { AttributeName: name, KeyType: 'HASH' as const },
    ...(index ? [{ AttributeName: index, KeyType: 'RANGE' as const }] : []),
  ];
  await clients.dynamodb.send(
    new CreateTableCommand({
      TableName: 'orders',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: key('orderId'),
      AttributeDefinitions: ['orderId', 'dueShard', 'dueAt'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      GlobalSecondaryIndexes: [{ IndexName: 'due', KeySchema: key('dueShard', 'dueAt'), Projection: { ProjectionType: 'KEYS_ONLY' } }],
    }),
  );
  return {
    /** What was invoked, by schedules and otherwise. */
    calls,
    schedules,
    lambda,
    warmth,
    ways,
    clients,
    adapters: {
      schedules: saleSchedules(clients.scheduler, { group, functionArn: capacityArn, roleArn: 'arn:aws:iam::000000000000:role/calls' }),
      environments: readyEnvironments(clients.lambda, aliasArn),
      tables: warmTables(DynamoDBDocumentClient.from(clients.dynamodb), [{ table: 'orders', indexes: ['due'] }]),
    },
    async stop() {
      for (const client of Object.values(clients)) client.destroy();
      for (const way of Object.values(ways)) await way.stop();
      for (const part of [warmth, lambda, schedules, database]) await part.stop();
    },
  };
}

export type CapacityServices = Awaited<ReturnType<typeof startCapacityServices>>;
