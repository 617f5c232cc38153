import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
const behind = inject('behind');
const connection = { region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const sqs = new SQSClient({ ...connection, endpoint: behind?.sqsUrl ?? '' });
const client = new DynamoDBClient({ ...connection, endpoint: behind?.dynamodbEndpoint ?? '' });
const database = DynamoDBDocumentClient.from(client);
afterAll(async () => {
  sqs.destroy();
  client.destroy();
  await shop.close();
});

const nameOf = (names: Readonly<Record<string, string>> | undefined, pattern: RegExp): string => {
  const [id] = Object.keys(names ?? {}).filter((each) => pattern.test(each));
  const name = id === undefined ? undefined : names?.[id];
  if (name === undefined) throw new Error(`nothing is called ${pattern}`);
  return name;
};

const send = (queue: RegExp, body: object | string) =>
  sqs.send(
    new SendMessageCommand({
      QueueUrl: `${behind?.sqsUrl}/000000000000/${nameOf(behind?.queues, queue)}`,
      MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );

/** What is stuck in a queue and is about this order, sale or text. */
async function stuck(queue: string, about: string) {
  const { items } = granted(await shop.operator.deadLetters({ queue, limit: 100 }));
  return items.filter((item) => JSON.stringify(item).includes(about));
}

describe('a poison message', () => {
  it('fails finitely often, is listed with its reason, and once its cause is mended and it is redriven, has its effect once', {
    timeout: 360_000,
  }, async (test) => {
    test.skip(!behind, 'needs the queues and tables behind the endpoint');
    const ordersTable = nameOf(behind?.tables, /^Tablesorders/);
    const sale = await shop.sale({ units: 1, priceMinor: 2_500 });
    const shopper = await shop.shopper(10_000);
    const { orderId } = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    await until('its events are handled', async () => granted(await shopper.client.orders({ saleId: sale.saleId })).items[0]);

    // The cause: the row that the message speaks of is not there.
    const { Item: row } = await database.send(new GetCommand({ TableName: ordersTable, Key: { orderId }, ConsistentRead: true }));
    if (!row) throw new Error('the order has no row');
    await database.send(new DeleteCommand({ TableName: ordersTable, Key: { orderId } }));
    const detail = {
      eventId: `${orderId}#1#StockReserved`,
      orderId,
      saleId: sale.saleId,
      buyerId: shopper.userId,
      version: 1,
      occurredAt: new Date().toISOString(),
      strategy: 'reserve-first',
      data: { units: 1, paymentMethod: 'balance' },
    };
    await send(/^PaymentsPaymentQueue/, { source: 'stampede.orders', 'detail-type': 'StockReserved', detail });

    const [letter] = await until(
      'it is given up',
      async () => {
        const found = await stuck('payment', orderId);
        return found.length > 0 ? found : undefined;
      },
      { withinMs: 240_000, everyMs: 1_000 },
    );
    expect(letter).toMatchObject({ event: 'StockReserved', eventId: detail.eventId, orderId, saleId: sale.saleId, attempts: 5 });
    expect(letter?.why).toBe(`UnknownOrder: ${orderId}`);
    // Looking takes nothing away.
    expect(await stuck('payment', orderId)).toHaveLength(1);

    await database.send(new PutCommand({ TableName: ordersTable, Item: { ...row, payment: { method: 'balance', state: 'none' } } }));
    const { queues } = granted(await shop.operator.redrive('payment'), 202);
    expect(queues).toEqual([{ queue: 'payment', moved: expect.any(Number), left: 0 }]);
    expect(queues[0]?.moved).toBeGreaterThanOrEqual(1);
    expect(await shop.atRest(orderId)).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });
    expect(granted(await shopper.client.me()).balanceMinor).toBe(7_500);
    await shop.cleanAudit(sale);
    expect(await stuck('payment', orderId)).toEqual([]);
  });
});

describe('dead letters', () => {
  it('of every queue are shown, whatever their bodies are, and no more of them than were asked for', async (test) => {
    test.skip(!behind, 'needs the queues behind the endpoint');
    const mark = randomUUID();
    for (let index = 0; index < 13; index++) await send(/^RebuildsDeadLetters/, { saleId: `gone-${mark}` });
    await send(/^RebuildsDeadLetters/, `no JSON ${mark}`);
    const gone = await stuck('rebuilds', `gone-${mark}`);
    expect(gone).toHaveLength(13);
    expect(gone[0]).toMatchObject({ queue: 'rebuilds', saleId: `gone-${mark}`, why: expect.stringContaining('rebuilds') });
    const few = granted(await shop.operator.deadLetters({ queue: 'rebuilds', limit: 3 }));
    expect(few.items).toHaveLength(3);
    expect(few.queues).toEqual([{ queue: 'rebuilds', waiting: expect.any(Number) }]);
    expect(few.queues[0]?.waiting).toBeGreaterThanOrEqual(14);

    const all = granted(await shop.operator.deadLetters());
    const names = all.queues.map(({ queue }) => queue);
    for (const name of ['payment', 'confirmation', 'compensation', 'fulfilment', 'rebuilds', 'outbox']) expect(names).toContain(name);

    // A rebuild of a sale that is not there is done at once; what is no JSON comes back here in its time.
    const { queues } = granted(await shop.operator.redrive('rebuilds'), 202);
    expect(queues[0]?.moved).toBeGreaterThanOrEqual(14);
    expect(await stuck('rebuilds', `gone-${mark}`)).toEqual([]);
  });

  it('are an operator’s to see and to redrive, and of a queue that there is', async () => {
    const { client } = await shop.shopper();
    refused(await client.deadLetters(), 'FORBIDDEN');
    refused(await client.redrive(), 'FORBIDDEN');
    refused(await shop.client.deadLetters(), 'UNAUTHENTICATED');
    const unknown = [await shop.operator.deadLetters({ queue: 'nobody' }), await shop.operator.redrive('nobody')];
    for (const answer of unknown) expect(refused(answer, 'INVALID_REQUEST').detail).toContain('payment');
    refused(await shop.operator.deadLetters({ limit: 0 }), 'INVALID_REQUEST');
  });

  it('are none where nothing is stuck, and redriving nothing moves nothing', async () => {
    const { items } = granted(await shop.operator.deadLetters({ queue: 'outbox' }));
    expect(items).toEqual([]);
    expect(granted(await shop.operator.redrive('outbox'), 202).queues).toEqual([{ queue: 'outbox', moved: 0, left: 0 }]);
  });
});
