import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { awsCaller } from '../../../functions/shared/aws-call.ts';
import { connectDatabase as connectBySdk } from '../../../functions/shared/dynamo.sdk.ts';
import { type Database, isConditionFailed, itemInTheWay, transact } from '../../../functions/shared/dynamo.ts';
import { connectDatabase as connectByWire } from '../../../functions/shared/dynamo.wire.ts';
import { queryPages, scanPage } from '../../../functions/shared/reads.ts';
import { closeServer, listenLocally } from '../../../lib/local/aws-json.ts';
import { startTables } from '../../support/database.ts';

const asUnderLambda = (endpoint: string) => {
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', endpoint);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
};

/** What a call comes to, without what only the SDK says of it. */
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (answer) => ({ ...(answer as object), $metadata: undefined }),
    (error: Error & { CancellationReasons?: unknown; Item?: unknown; $metadata?: { httpStatusCode?: number } }) => ({
      name: error.name,
      message: error.message,
      status: error.$metadata?.httpStatusCode,
      ...(error.CancellationReasons === undefined ? {} : { reasons: error.CancellationReasons }),
      ...(error.Item === undefined ? {} : { item: error.Item }),
    }),
  );

type Call = (database: Database, key: string) => Promise<unknown>;
const TableName = 'outbox';
const row = (subject: string, version = 1) => ({ subject, version, note: { list: ['ä', 1.5, true, null, undefined], gone: undefined } });
const isNew = { ConditionExpression: 'attribute_not_exists(subject)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
const put = (subject: string, changes = {}) => ({ Put: { TableName, Item: row(subject), ...changes } });
let tokens = 0;
const transaction = (...TransactItems: object[]) => ({ TransactItems, ClientRequestToken: `token-${process.pid}-${tokens++}` }) as never;

/** Every operation, and every kind of refusal. `key` is a row of the call's own that is there. */
const calls: Readonly<Record<string, Call>> = {
  'a get': (db, subject) => db.get({ TableName, Key: { subject, version: 1 }, ConsistentRead: true }),
  'a get of nothing': (db) => db.get({ TableName, Key: { subject: 'nobody', version: 1 } }),
  'a put': (db, subject) => db.put({ TableName, Item: row(subject, 2) }),
  'a put that gives back what was there': (db, subject) => db.put({ TableName, Item: row(subject), ReturnValues: 'ALL_OLD' }),
  'a put whose condition fails': (db, subject) => db.put({ TableName, Item: row(subject), ...isNew }),
  'a put whose condition fails, untold': (db, subject) =>
    db.put({ TableName, Item: row(subject), ConditionExpression: isNew.ConditionExpression }),
  'an update': (db, subject) =>
    db.update({
      TableName,
      Key: { subject, version: 1 },
      UpdateExpression: 'SET #note = :note',
      ExpressionAttributeNames: { '#note': 'note' },
      ExpressionAttributeValues: { ':note': { at: 5 } },
      ReturnValues: 'ALL_NEW',
    }),
  'an update whose condition fails': (db) =>
    db.update({
      TableName,
      Key: { subject: 'nobody', version: 1 },
      UpdateExpression: 'REMOVE note',
      ConditionExpression: 'attribute_exists(subject)',
    }),
  'a deletion': (db, subject) => db.delete({ TableName, Key: { subject, version: 1 }, ReturnValues: 'ALL_OLD' }),
  'a query': (db, subject) =>
    db.query({ TableName, KeyConditionExpression: 'subject = :s', ExpressionAttributeValues: { ':s': subject }, ConsistentRead: true }),
  'a page of a scan': (db) => db.scan({ TableName, Limit: 1 }).then(({ Count, LastEvaluatedKey }) => ({ Count, more: !!LastEvaluatedKey })),
  'a batch': (db, subject) =>
    db.batchGet({
      RequestItems: {
        [TableName]: {
          Keys: [
            { subject, version: 1 },
            { subject: 'nobody', version: 1 },
          ],
          ConsistentRead: true,
        },
      },
    }),
  'a transaction': (db, subject) => db.transactWrite(transaction(put(`${subject}-a`), put(`${subject}-b`))),
  'a transaction whose conditions fail': (db, subject) =>
    db.transactWrite(transaction(put(`${subject}-c`, isNew), put(subject, isNew), put(subject.replace('row', 'row'), {}))),
  'a transaction that is refused by what stands there': (db, subject) =>
    db.transactWrite(transaction(put(`${subject}-d`, isNew), put(subject, isNew))),
  'a call about a table that is not there': (db) => db.get({ TableName: 'nothing', Key: { id: 'x' } }),
  'a call that makes no sense': (db) => db.update({ TableName, Key: { subject: 'a' }, UpdateExpression: 'MAKE sense' }),
};

describe('the database by calls of our own', () => {
  let tables: Awaited<ReturnType<typeof startTables>>;
  beforeAll(async () => {
    tables = await startTables();
  });
  afterAll(() => tables?.stop());
  beforeEach(() => asUnderLambda(tables.endpoint));
  afterEach(() => vi.unstubAllEnvs());

  it.each(Object.entries(calls))('answers %s as the SDK does', async (name, call) => {
    const key = `row of ${name}`;
    const outcomes: unknown[] = [];
    for (const connect of [connectBySdk, connectByWire]) {
      for (const version of [1, 2]) await tables.database.delete({ TableName, Key: { subject: key, version } });
      for (const other of ['a', 'b', 'c', 'd'])
        await tables.database.delete({ TableName, Key: { subject: `${key}-${other}`, version: 1 } });
      await tables.database.put({ TableName, Item: row(key) });
      outcomes.push(await outcomeOf(call(connect(), key)));
    }
    const [bySdk, byWire] = outcomes;
    expect(byWire).toEqual(bySdk);
  });

  it('names the conditions that did not hold, with what stood there', async () => {
    const database = connectByWire();
    await database.put({ TableName, Item: row('taken') });
    const refused = await database.put({ TableName, Item: row('taken'), ...isNew }).catch((error: unknown) => error);
    expect(isConditionFailed(refused) && itemInTheWay(refused)).toEqual({ ...row('taken'), note: { list: ['ä', 1.5, true, null] } });
    expect(await transact(database, [put('free', isNew), put('taken', isNew)])).toMatchObject({
      outcome: 'refused',
      refusals: [{ index: 1, item: { subject: 'taken' } }],
    });
  });

  it('goes on where a page ended', async () => {
    const database = connectByWire();
    for (const version of [1, 2, 3]) await database.put({ TableName, Item: row('paged', version) });
    const query = { TableName, KeyConditionExpression: 'subject = :s', ExpressionAttributeValues: { ':s': 'paged' }, Limit: 1 };
    const versions: unknown[] = [];
    for await (const { Items = [] } of queryPages(database, query)) versions.push(...Items.map(({ version }) => version));
    expect(versions).toEqual([1, 2, 3]);
    expect((await scanPage(database, TableName, 'subject', { limit: 2 })).items).toHaveLength(2);
  });
});

/** How a server treats a call. */
type Manner = (response: ServerResponse, incoming: IncomingMessage) => void;
const answers =
  (status: number, body: unknown, headers = {}): Manner =>
  (response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
const fine = answers(200, { Item: { orderId: { S: 'o' } } });
const throttled = answers(400, { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow' });
const resets: Manner = (response) => response.socket?.resetAndDestroy();
const breaksOff: Manner = (response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{"Item"');
  response.socket?.destroySoon();
};

describe('a service that misbehaves', () => {
  const server = createServer(async (incoming, response) => {
    await incoming.toArray();
    asked.push(String(incoming.headers['amz-sdk-request']));
    (manners.shift() ?? last)(response, incoming);
  });
  let asked: string[] = [];
  let manners: Manner[] = [];
  let last: Manner = fine;
  beforeAll(async () => asUnderLambda(await listenLocally(server)));
  beforeEach(() => {
    asked = [];
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await closeServer(server);
  });
  const get = (connect: () => Database, signal?: AbortSignal) =>
    connect().get({ TableName: 'orders', Key: { orderId: 'o' } }, signal && { abortSignal: signal });

  const misbehaviours: readonly (readonly [string, Manner])[] = [
    ['throttles', throttled],
    ['has an error of its own', answers(500, { __type: 'InternalServerError', message: 'oh' })],
    ['is away behind its door', answers(503, '<html>no</html>')],
    ['has too many calls', answers(429, {})],
    ['resets the connection', resets],
    ['breaks off in its answer', breaksOff],
  ];
  it.each(misbehaviours)('and %s once is asked again', async (_, manner) => {
    for (const connect of [connectBySdk, connectByWire]) {
      manners = [manner];
      expect(await get(connect)).toMatchObject({ Item: { orderId: 'o' } });
    }
    expect(asked).toEqual(['attempt=1; max=3', 'attempt=2; max=3', 'attempt=1; max=3', 'attempt=2; max=3']);
  });

  it.each(misbehaviours)('and %s for good is given up after three attempts, as by the SDK', async (_, manner) => {
    last = manner;
    const told = async (connect: () => Database) => {
      asked = [];
      const error = (await get(connect).catch((thrown: unknown) => thrown)) as Error & {
        code?: string;
        $metadata?: { httpStatusCode?: number };
      };
      return { error, attempts: asked.length };
    };
    const [bySdk, byWire] = [await told(connectBySdk), await told(connectByWire)];
    last = fine;
    expect(byWire.attempts).toBe(3);
    expect(byWire.attempts).toBe(bySdk.attempts);
    expect(byWire.error.code).toBe(bySdk.error.code);
    // Of an answer that breaks off the SDK has the status, though there is no answer.
    if (manner !== breaksOff) expect(byWire.error.$metadata?.httpStatusCode).toBe(bySdk.error.$metadata?.httpStatusCode);
  });

  it.each([
    ['a mistake in the call', { __type: 'com.amazon.coral.validate#ValidationException', message: 'no' }, 'ValidationException'],
    ['a right that is missing', { __type: 'com.amazon.coral.service#AccessDeniedException', Message: 'no' }, 'AccessDeniedException'],
  ])('and refuses for %s is not asked again', async (__, body, name) => {
    for (const connect of [connectBySdk, connectByWire]) {
      manners = [answers(400, body)];
      await expect(get(connect)).rejects.toMatchObject({ name, message: 'no', $metadata: { httpStatusCode: 400 } });
    }
    expect(asked).toHaveLength(2);
  });

  it('and never ends its answer is given up, and asked again', async () => {
    manners = [(response) => void response.writeHead(200).write('{')];
    expect(await get(connectByWire)).toMatchObject({ Item: { orderId: 'o' } });
    expect(asked).toHaveLength(2);
  });

  it('is let go at once by whoever calls the call off', async () => {
    manners = [() => {}];
    const controller = new AbortController();
    const call = get(connectByWire, controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await expect(get(connectByWire, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toHaveLength(1);
  });

  it('is asked over one connection for calls that come one after the other', async () => {
    const sockets = new Set<unknown>();
    last = (response, incoming) => {
      sockets.add(incoming.socket);
      fine(response, incoming);
    };
    const database = connectByWire();
    for (let call = 0; call < 5; call++) await database.get({ TableName: 'orders', Key: { orderId: 'o' } });
    last = fine;
    expect(sockets.size).toBe(1);
  });

  it('is not called by whoever is not under Lambda', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    await expect(awsCaller({ name: 'sqs', variable: 'SQS', target: 'AmazonSQS', version: '1.0' })('SendMessage', '{}')).rejects.toThrow(
      /AWS_SECRET_ACCESS_KEY/,
    );
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });
});
