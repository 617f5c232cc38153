import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../functions/shared/redis.ts';
import { until } from '../../lib/client/bounded.ts';
import { webhookHeaders } from '../../lib/client/webhooks.ts';
import { credentials } from '../../lib/local/aws-json.ts';
import { type Database, startDatabase } from '../../lib/local/dynamodb.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { type Properties, type Resource, roleOf, type Synthesised, statementsOf, synthesised, target } from './synthesised.ts';

/** Nothing on a laptop refuses a call for want of a right, so the calls are written down here and held against the template's roles. */
let stacks: Synthesised;
let database: Database;
let recorder: Server;
let runtime: Runtime;
/** `Orders/Reserve PutItem orders`, `Api/Functions Query views/byBuyer`. */
const called = new Set<string>();

const nameOf = (lambda: Resource) => lambda.path.replace(/\/Function$/, '');
const tableName = (table: Resource) => table.path.replace('Tables/', '');

beforeAll(async () => {
  stacks = synthesised();
  signCalls();
  database = await startDatabase();
  recorder = await startRecorder(database.endpoint);
  const { port } = recorder.address() as AddressInfo;
  // Capacity is asked for, so that what looks after it has calls to make.
  const parameters = { PrewarmConcurrency: '2', PrewarmWriteUnits: '5000' };
  runtime = await startRuntime({ port: 0, cdkOut: stacks.directory, parameters, dynamodbEndpoint: `http://127.0.0.1:${port}` });
});
afterAll(async () => {
  await runtime?.stop();
  recorder?.close();
  recorder?.closeAllConnections();
  await database?.stop();
  stacks?.remove();
});

/** Lets each function say who it is in its user agent: the SDK puts this variable there. */
function signCalls(): void {
  const file = join(stacks.directory, 'Stampede.template.json');
  const template: Properties = JSON.parse(readFileSync(file, 'utf8'));
  for (const lambda of stacks.of('AWS::Lambda::Function')) {
    template.Resources[lambda.id].Properties.Environment.Variables.AWS_SDK_UA_APP_ID = nameOf(lambda).replaceAll('/', '-');
  }
  writeFileSync(file, JSON.stringify(template));
}

/** Hands every call on to the database, and writes down those that functions make. */
async function startRecorder(endpoint: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const [, caller] = /\bapp\/([\w-]+)/.exec(request.headers['user-agent'] ?? '') ?? [];
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    if (caller)
      for (const access of accessesOf(operation, JSON.parse(body.toString()))) called.add(`${caller.replaceAll('-', '/')} ${access}`);
    const { host: _h, 'content-length': _l, connection: _c, ...headers } = request.headers;
    const answer = await fetch(endpoint, { method: 'POST', headers: headers as Record<string, string>, body });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The rights that a call needs: a transaction needs those of its parts. */
function accessesOf(operation: string, call: Properties): string[] {
  // Physical names end in the table's logical id.
  const named = (physical: string) => {
    const table = stacks.of('AWS::DynamoDB::Table').find(({ id }) => physical.endsWith(id));
    return table ? tableName(table) : physical;
  };
  if (operation === 'TransactWriteItems') {
    const actions: Record<string, string> = {
      Put: 'PutItem',
      Update: 'UpdateItem',
      Delete: 'DeleteItem',
      ConditionCheck: 'ConditionCheckItem',
    };
    return call.TransactItems.flatMap((part: Properties) =>
      Object.entries(part).map(([kind, { TableName }]) => `${actions[kind]} ${named(TableName)}`),
    );
  }
  if (operation === 'BatchGetItem') return Object.keys(call.RequestItems).map((physical) => `${operation} ${named(physical)}`);
  return [`${operation} ${named(call.TableName)}${call.IndexName ? `/${call.IndexName}` : ''}`];
}

/** What the roles allow, in the same words. */
function allowed(): Set<string> {
  const tables = new Map(stacks.of('AWS::DynamoDB::Table').map((table) => [table.id, tableName(table)]));
  const place = (resource: Properties): string => {
    const [, [table, suffix]] = resource['Fn::Join'] ?? ['', [resource, '']];
    return `${tables.get(target(table))}${suffix.replace('/index', '')}`;
  };
  return new Set(
    stacks
      .of('AWS::Lambda::Function')
      .flatMap((lambda) =>
        statementsOf(roleOf(lambda, stacks), stacks).flatMap(({ effect, actions, resources }) =>
          actions
            .filter(
              (action) =>
                effect === 'Allow' && action.startsWith('dynamodb:') && !action.includes('Stream') && !/Records|ShardIterator/.test(action),
            )
            .flatMap((action) => resources.map((resource) => `${nameOf(lambda)} ${action.replace('dynamodb:', '')} ${place(resource)}`)),
        ),
      ),
  );
}

async function call<Answer = Properties>(token: string, method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${runtime.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text ? JSON.parse(text) : {}) as Answer;
}

const token = async (sub: string, scope: string) => (await call('', 'POST', '/local/token', { sub, scope })).access_token as string;

/** What a payment provider tells. */
async function tellOfPayment(type: 'payment.succeeded' | 'payment.failed', orderId: string, amountMinor: number): Promise<void> {
  const body = JSON.stringify({ type, data: { paymentId: randomUUID(), orderId, amountMinor, currency: 'EUR' } });
  const headers = webhookHeaders(body, { secrets: [runtime.webhookSecret ?? ''] });
  const answer = await fetch(`${runtime.url}/v1/webhooks/payments`, { method: 'POST', headers, body });
  expect(answer.status, await answer.text()).toBe(204);
}

/** As if the sale had been called off an hour earlier: the last look at its orders is due. */
async function calledOffLongAgo(saleId: string): Promise<void> {
  const sales = stacks.of('AWS::DynamoDB::Table').find((table) => tableName(table) === 'sales')?.id ?? '';
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: database.endpoint, region: 'eu-central-1', credentials }));
  await client.send(
    new UpdateCommand({
      TableName: runtime.names.tables[sales],
      Key: { saleId },
      UpdateExpression: 'SET endingPass.closedAtMs = endingPass.closedAtMs - :hour',
      ExpressionAttributeValues: { ':hour': 3_600_000 },
    }),
  );
  client.destroy();
}

/** A row of the outbox that nobody can read. */
async function poisonOutbox(): Promise<void> {
  const client = new DynamoDBClient({ endpoint: database.endpoint, region: 'eu-central-1', credentials });
  const TableName = Object.values(runtime.names.tables).find((name) => /-Tablesoutbox/.test(name));
  await DynamoDBDocumentClient.from(client).send(new PutCommand({ TableName, Item: { subject: 'poison', version: 1 } }));
  client.destroy();
}

const patient = { withinMs: 120_000 };

describe('the database', () => {
  it('is called by no function for anything that its role does not allow, from a sale’s creation to its audit', {
    timeout: 600_000,
  }, async () => {
    const operator = await token('operator', 'sale:operate');
    await call(operator, 'POST', '/v1/products', { sku: 'tee', name: 'Tee', priceMinor: 100, currency: 'EUR' });
    await call(operator, 'PUT', '/v1/products/tee', { sku: 'tee', name: 'Tee shirt', priceMinor: 100, currency: 'EUR' });
    await call(operator, 'POST', '/v1/products', { sku: 'mug', name: 'Mug', priceMinor: 100, currency: 'EUR' });
    await call(operator, 'DELETE', '/v1/products/mug');
    const window = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
    const drop = { name: 'Drop', ...window, perBuyerLimit: 2, items: [{ sku: 'tee', units: 10 }] };
    await call(operator, 'POST', '/v1/sales', { ...drop, saleId: 'drop' });
    await call(operator, 'POST', '/v1/sales', { ...drop, saleId: 'brief', holdSeconds: 5 });

    const buy = async (userId: string, balanceMinor: number, method: string, saleId = 'drop') => {
      await call(operator, 'POST', '/v1/users', { userId, currency: 'EUR' });
      if (balanceMinor > 0) await call(operator, 'POST', `/v1/users/${userId}/credits`, { amountMinor: balanceMinor });
      const buyer = await token(userId, 'sale:buy');
      const order = await call(buyer, 'POST', `/v1/sales/${saleId}/orders`, { items: [{ sku: 'tee', quantity: 1 }], payment: { method } });
      return { buyer, orderId: String(order.orderId) };
    };
    const reaches = (order: { buyer: string; orderId: string }, status: string) =>
      until(
        `${order.orderId} is ${status}`,
        async () => {
          await call('', 'POST', '/local/run/sweeper');
          const seen = await call(order.buyer, 'GET', `/v1/orders/${order.orderId}`);
          return seen.status === status ? seen : undefined;
        },
        { ...patient, everyMs: 300 },
      );

    const paid = await buy('ada', 500, 'balance');
    const poor = await buy('bob', 0, 'balance');
    const waiting = await buy('cleo', 500, 'external');
    const forgotten = await buy('dan', 500, 'external', 'brief');
    await call(waiting.buyer, 'POST', `/v1/orders/${waiting.orderId}/cancel`);
    const fulfilled = await reaches(paid, 'FULFILLED');
    await reaches(poor, 'FAILED');
    await reaches(forgotten, 'EXPIRED');

    const outside = await buy('fay', 0, 'external');
    await tellOfPayment('payment.succeeded', outside.orderId, 1);
    await tellOfPayment('payment.succeeded', outside.orderId, 100);
    await reaches(outside, 'FULFILLED');
    const tooLate = await buy('gil', 0, 'external');
    await tellOfPayment('payment.failed', tooLate.orderId, 100);
    await reaches(tooLate, 'FAILED');
    await tellOfPayment('payment.succeeded', tooLate.orderId, 100);
    await reaches(tooLate, 'FULFILLED');
    await tellOfPayment('payment.succeeded', 'ord_nobody', 100);

    const charged = {
      saleId: 'charged',
      name: 'Charged',
      ...window,
      strategy: 'charge-first',
      perBuyerLimit: 2,
      items: [{ sku: 'tee', units: 2 }],
    };
    await call(operator, 'POST', '/v1/sales', charged);
    const chargedFirst = async () => {
      const { orderId } = await call(paid.buyer, 'POST', '/v1/sales/charged/orders', { items: [{ sku: 'tee', quantity: 2 }] });
      return { buyer: paid.buyer, orderId: String(orderId) };
    };
    // There are units for one. The other pays in vain, unless it comes so late that it is refused at the door.
    const came = await Promise.allSettled([chargedFirst(), chargedFirst()]);
    const rivals = came.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    await until(
      'one of the rivals has the units, and the other its money',
      async () => {
        await call('', 'POST', '/local/run/sweeper');
        const seen = await Promise.all(rivals.map(({ buyer, orderId }) => call(buyer, 'GET', `/v1/orders/${orderId}`)));
        return seen.filter(({ status }) => status === 'FULFILLED').length === 1 && seen.every(({ status }) => /^F/.test(status))
          ? seen
          : undefined;
      },
      patient,
    );

    const hall = { saleId: 'night', name: 'Night', ...window, items: [{ sku: 'tee', seats: ['A-1', 'A-2'] }] };
    await call(operator, 'POST', '/v1/sales', hall);
    for (const [seat, returnUnits] of [
      ['A-1', true],
      ['A-2', false],
    ]) {
      const items = [{ sku: 'tee', seats: [seat] }];
      const { orderId } = await call(paid.buyer, 'POST', '/v1/sales/night/orders', { items });
      const seated = { buyer: paid.buyer, orderId: String(orderId) };
      await reaches(seated, 'FULFILLED');
      await call(operator, 'POST', `/v1/orders/${orderId}/refund`, { reason: 'moved', returnUnits });
      await reaches(seated, 'REFUNDED');
    }

    for (const path of [
      '/v1/products',
      '/v1/products/tee',
      '/v1/sales',
      '/v1/sales/drop',
      '/v1/health',
      `/v1/tickets/${fulfilled.tickets[0].code}`,
    ]) {
      await call('', 'GET', path);
    }
    for (const path of ['/v1/me', '/v1/orders', '/v1/orders?saleId=drop']) await call(paid.buyer, 'GET', path);
    for (const path of [
      '/v1/users/ada',
      '/v1/orders',
      '/v1/orders?saleId=drop',
      '/v1/orders?buyerId=ada',
      '/v1/sales/drop/audit',
      `/v1/orders/${paid.orderId}/timeline`,
    ]) {
      await call(operator, 'GET', path);
    }

    const graphql = async (bearer: string, query: string) => {
      const { data, errors } = await call(bearer, 'POST', '/v1/graphql', { query });
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    };
    const eve = await token('eve', 'sale:buy');
    const lines = 'items: [{ sku: "tee", quantity: 1 }], payment: { method: external }';
    const { placeOrder } = await graphql(eve, `mutation { placeOrder(saleId: "drop", idempotencyKey: "k", ${lines}) { orderId } }`);
    await graphql(eve, `{ order(orderId: "${placeOrder.orderId}") { status } orders(saleId: "drop") { nextCursor } }`);
    await graphql(eve, `mutation { cancelOrder(orderId: "${placeOrder.orderId}") { status } }`);
    await graphql(paid.buyer, '{ me { userId } products { nextCursor } product(sku: "tee") { name } }');
    await graphql(
      operator,
      '{ sales { nextCursor } sale(saleId: "drop") { state } orders { nextCursor } drop: orders(saleId: "drop") { nextCursor } }',
    );

    const redis = connectRedis({ url: runtime.redisUrl, mode: 'single' });
    await redis.flushall();
    redis.disconnect();
    for (const saleId of ['drop', 'night']) {
      await until(
        `${saleId} is rebuilt`,
        async () => {
          const { ok, state } = await fetch(`${runtime.url}/v1/sales/${saleId}`).then(async (answer) => {
            const sale = (await answer.json()) as { state?: string };
            return { ok: answer.ok, state: sale.state };
          });
          // While its stock is away, it shows as one that is paused.
          return (ok && state !== 'paused') || undefined;
        },
        patient,
      );
    }

    await call(operator, 'POST', '/v1/reconciliations', { saleId: 'drop' });
    await call('', 'POST', '/local/run/reconciler');
    await call(operator, 'GET', '/v1/reconciliations');

    await call(operator, 'PATCH', '/v1/sales/night', { state: 'paused' });
    await call(operator, 'PATCH', '/v1/sales/night', { state: 'open' });
    await call(operator, 'POST', '/v1/sales/night/restock', { sku: 'tee', seats: ['A-3'], reason: 'a third' });
    await call('', 'GET', '/v1/sales/night/seats?sku=tee');
    await call(paid.buyer, 'PUT', '/v1/sales/night/cart/items/tee', { seats: ['A-3'] });
    const { orderId: last } = await call(paid.buyer, 'POST', '/v1/sales/night/orders', { fromCart: true });
    await call(operator, 'POST', '/v1/sales/night/cancel', { reason: 'rain' });
    await reaches({ buyer: paid.buyer, orderId: String(last) }, 'REFUNDED');
    await calledOffLongAgo('night');
    await call('', 'POST', '/local/run/sweeper');

    await poisonOutbox();
    const isAtWork = (worker: string) => [...called].some((each) => each.startsWith(`${worker} `));
    await until('the dispatcher leaves a row to the poller', async () => isAtWork('Messaging/Stream/Dispatcher') || undefined, patient);
    await until(
      'the poller tries it',
      async () => {
        await call('', 'POST', '/local/run/outbox');
        return called.has('Messaging/Poller/Poll UpdateItem outbox') || undefined;
      },
      { ...patient, everyMs: 300 },
    );
    await call(operator, 'GET', '/v1/dead-letters');
    await call(operator, 'POST', '/v1/dead-letters/redrive', {});

    const rights = allowed();
    expect([...called].filter((each) => !rights.has(each)).sort()).toEqual([]);
    // Every function that has a table at hand was seen at work.
    const workers = (calls: Iterable<string>) => new Set([...calls].map((each) => each.split(' ')[0]));
    expect(workers(called)).toEqual(workers(rights));
  });
});
