import { EventEmitter } from 'node:events';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { clientDefaults } from '../../../functions/shared/aws.ts';
import { NotSimulated } from './globals.ts';
import { faultOf, type SdkHost, type Services } from './sdk.ts';
import type { Service } from './services.ts';

interface RequestOptions {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly signal?: AbortSignal;
}

type Fields = Readonly<Record<string, unknown>>;

/** Operations by the names that the document client has for them, as the network tells them. */
const documentNames: Readonly<Record<string, string>> = {
  GetItem: 'Get',
  PutItem: 'Put',
  UpdateItem: 'Update',
  DeleteItem: 'Delete',
  BatchGetItem: 'BatchGet',
  TransactWriteItems: 'TransactWrite',
};

/** Members that are an item, a list of items, or items by table and then something. */
const items: ReadonlySet<string> = new Set([
  'Item',
  'Key',
  'Attributes',
  'ExpressionAttributeValues',
  'ExclusiveStartKey',
  'LastEvaluatedKey',
]);
const lists: ReadonlySet<string> = new Set(['Items', 'Keys']);

/** A call, or an answer, with its items in the other form; everything else as it is. */
function inOtherForm(value: unknown, change: (item: never) => unknown, isItems = false): unknown {
  if (Array.isArray(value)) return value.map((member) => (isItems ? change(member as never) : inOtherForm(member, change)));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => {
    if (items.has(name) && member !== undefined) return [name, change(member as never)];
    if (name === 'Responses')
      return [name, Object.fromEntries(Object.entries(member).map(([table, rows]) => [table, inOtherForm(rows, change, true)]))];
    return [name, inOtherForm(member, change, lists.has(name))];
  });
  return Object.fromEntries(members);
}

/** What one service takes and answers over HTTP. */
interface Protocol {
  readonly service: Service;
  readonly operation: (action: string) => string;
  readonly asked: (body: unknown) => Fields;
  readonly answered: (answer: unknown) => unknown;
}

const plain = { operation: (action: string) => action, asked: (body: unknown) => body as Fields, answered: (answer: unknown) => answer };

const protocolsOf = ({ database, secrets, queue }: Services): Readonly<Record<string, Protocol>> => ({
  DynamoDB_20120810: {
    service: database,
    operation: (action) => documentNames[action] ?? action,
    asked: (body) => inOtherForm(body, unmarshall as (item: never) => unknown) as Fields,
    answered: (answer) => inOtherForm(answer, (item) => marshall(item, { removeUndefinedValues: true })),
  },
  secretsmanager: { service: secrets, ...plain },
  AmazonSQS: { service: queue, ...plain },
});

/** An answer of HTTP as who asked reads it: all of it at one moment. */
function respond(outgoing: Outgoing, statusCode: number, body: unknown): void {
  const response = Object.assign(new EventEmitter(), { statusCode, headers: {} });
  outgoing.emit('response', response);
  response.emit('data', Buffer.from(JSON.stringify(body)));
  response.emit('end');
}

/** One request on its way. */
class Outgoing extends EventEmitter {
  readonly #start: (body: string) => Promise<void>;
  isOver = false;

  constructor(start: (outgoing: Outgoing, body: string) => Promise<void>) {
    super();
    this.#start = (body) => start(this, body);
  }

  end(body: string): this {
    void this.#start(body);
    return this;
  }

  destroy(error?: Error): this {
    this.finish(() => error && this.emit('error', error));
    return this;
  }

  /** Its one end, whichever comes first. */
  finish(tell: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    tell();
    queueMicrotask(() => this.emit('close'));
  }
}

/**
 * `node:http` and `node:https` as far as AWS' JSON protocol goes: the calls that functions sign themselves take the same way, under the same names, and
 * meet the same faults, as those of the SDK. Their attempts are their own.
 */
export function httpModule(host: SdkHost, services: Services): object {
  const protocols = protocolsOf(services);

  const exchange = async (outgoing: Outgoing, { headers, signal }: RequestOptions, body: string): Promise<void> => {
    const [prefix = '', action = ''] = String(headers['x-amz-target']).split('.');
    const protocol = protocols[prefix];
    if (!protocol || !headers.authorization) throw new NotSimulated(`${headers['x-amz-target']} over HTTP is not in the simulation`);
    const { service } = protocol;
    const operation = protocol.operation(action);
    const input = protocol.asked(JSON.parse(body));
    const [, made = '1'] = /attempt=(\d+)/.exec(String(headers['amz-sdk-request'])) ?? [];
    const asked = {
      target: service.target,
      operation,
      input,
      attempt: Number(made) - 1,
      apply: () => service.apply(operation, input),
      isAnswer: (error: unknown) => error instanceof Error && '$metadata' in error,
      timeoutMs: clientDefaults.requestHandler.requestTimeout,
      errorOf: faultOf(host, service, operation, input),
      signal,
      extraMs: (answer: unknown) => service.extraMs?.(operation, input, answer) ?? 0,
    };
    await host.network.exchange(host.container, asked).then(
      (answer) => outgoing.finish(() => respond(outgoing, 200, protocol.answered(answer))),
      (error: Error) => outgoing.finish(() => fail(outgoing, error)),
    );
  };

  const request = (options: RequestOptions, onResponse: (response: EventEmitter) => void): Outgoing => {
    const outgoing = new Outgoing((sent, body) => exchange(sent, options, body));
    return outgoing.once('response', onResponse);
  };
  return { request, Agent: class {} };
}

/** What the service said is an answer; anything else happened to the connection. */
function fail(outgoing: Outgoing, error: Error): void {
  const { $metadata, message, name, ...members } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode === undefined) outgoing.emit('error', error);
  else respond(outgoing, $metadata.httpStatusCode, { ...members, __type: `simulated#${error.name}`, message: error.message });
}
