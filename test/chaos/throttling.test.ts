import { createServer } from 'node:http';
import { DynamoDBClient, ThrottlingException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it, onTestFinished } from 'vitest';
import { closeServer, credentials, listenLocally } from '../../lib/local/aws-json.ts';
import { randomOf } from '../simulation/random.ts';
import { startProxy } from './proxy.ts';
import { type Throttling, throttlingInspector } from './throttling.ts';

/** A server that takes every call, behind a proxy that throttles. */
async function database() {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}');
  });
  const url = await listenLocally(server);
  onTestFinished(() => closeServer(server));
  const throttling: Throttling = { share: 0, refused: 0 };
  const proxy = await startProxy(Number(new URL(url).port), () => throttlingInspector(throttling, randomOf('throttling')));
  onTestFinished(() => proxy.stop());
  const client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${proxy.port}`, region: 'eu-central-1', credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return { document: DynamoDBDocumentClient.from(client), throttling, bodies };
}

const transaction = (note: string) =>
  new TransactWriteCommand({
    TransactItems: ['a', 'b'].map((id) => ({ Put: { TableName: 'orders', Item: { id, note } } })),
    ClientRequestToken: 'a-token-of-the-caller',
  });

it('passes calls on as they are, but for the token of a transaction', async () => {
  const { document, bodies } = await database();
  const note = `"ClientRequestToken":"mine", Grüße ${'x'.repeat(200_000)}`;
  await document.send(transaction(note));
  await document.send(new GetCommand({ TableName: 'orders', Key: { id: 'ä' } }));
  const [written, read] = bodies.map((body) => JSON.parse(body) as Record<string, unknown>);
  expect(written?.ClientRequestToken).toBeUndefined();
  expect(JSON.stringify(written)).toContain(JSON.stringify(note));
  expect(read).toMatchObject({ Key: { id: { S: 'ä' } } });
});

it('refuses as DynamoDB does: exceptions, cancelled transactions, batches of which nothing was done', async () => {
  const { document, throttling, bodies } = await database();
  throttling.share = 1;
  const names = new Set<string>();
  for (let call = 0; call < 12; call++) {
    await document.send(new GetCommand({ TableName: 'orders', Key: { id: 'a' } })).catch((error: Error) => names.add(error.name));
    const error = await document.send(transaction('')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    if (error instanceof TransactionCanceledException) {
      names.add(error.name);
      expect(error.CancellationReasons?.map(({ Code }) => Code).sort()).toEqual(['None', 'ThrottlingError']);
    } else if (error instanceof ThrottlingException) names.add(error.name);
    const Keys = [{ id: 'a' }, { id: 'b' }];
    const batch = await document.send(new BatchGetCommand({ RequestItems: { orders: { Keys } } })).catch(() => undefined);
    if (batch) expect(batch.UnprocessedKeys?.orders?.Keys).toEqual(Keys);
    if (batch) names.add('batch');
  }
  expect([...names].sort()).toEqual([
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'TransactionCanceledException',
    'batch',
  ]);
  expect([bodies, throttling.refused]).toEqual([[], 36]);
});
