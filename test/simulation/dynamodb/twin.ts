import { type AttributeValue, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoModel } from './model.ts';

const commands = {
  Get: GetCommand,
  BatchGet: BatchGetCommand,
  Query: QueryCommand,
  Scan: ScanCommand,
  Put: PutCommand,
  Update: UpdateCommand,
  Delete: DeleteCommand,
  TransactWrite: TransactWriteCommand,
};

export type Operation = keyof typeof commands;

export interface Call {
  readonly operation: Operation;
  readonly input: Record<string, unknown>;
}

/** What a call came to, without what says nothing of the data: an answer, or an error by its name, its codes and the items that it shows. */
export type Outcome =
  | { readonly answer: Record<string, unknown> }
  | { readonly error: string; readonly reasons?: unknown; readonly item?: unknown };

const shown = (item: unknown): unknown => item && unmarshall(item as Record<string, AttributeValue>);

/** Where a condition fails the server does not look whether the other writes could be done, and says of those that cannot that nothing was wrong. */
function reasonsOf(given: readonly { readonly Code?: string; readonly Item?: unknown }[]): unknown {
  const isConditionFailed = given.some(({ Code }) => Code === 'ConditionalCheckFailed');
  return given.map(({ Code, Item }) => ({ code: isConditionFailed && Code === 'ValidationError' ? 'None' : Code, item: shown(Item) }));
}

function failureOf(thrown: unknown): Outcome {
  const { name, CancellationReasons, Item } = thrown as {
    name: string;
    CancellationReasons?: { Code?: string; Item?: unknown }[];
    Item?: unknown;
  };
  if (CancellationReasons) return { error: name, reasons: reasonsOf(CancellationReasons) };
  return { error: name, ...(Item === undefined ? {} : { item: shown(Item) }) };
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (each && typeof each === 'object' && !Array.isArray(each) ? sorted(each) : each));
const sorted = (value: object): object => Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));

/** What is found in no order that counts, in one that can be compared. */
function answerOf({ operation, input }: Call, { $metadata: _, ...given }: Record<string, unknown>): Outcome {
  const answer = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (operation === 'BatchGet') {
    const responses = Object.entries((answer.Responses ?? {}) as Record<string, unknown[]>);
    return { answer: { ...answer, Responses: Object.fromEntries(responses.map(([table, items]) => [table, items.map(text).sort()])) } };
  }
  // The server looks whether anything follows a page that is full, and DynamoDB does not.
  const isFull = input.Limit !== undefined && answer.ScannedCount === input.Limit;
  if (isFull) delete answer.LastEvaluatedKey;
  return { answer };
}

/** Runs calls on a server and on the model, and compares what they come to. */
export function twin(server: DynamoDBDocumentClient, model: DynamoModel) {
  const send = server.send.bind(server) as (command: unknown, options?: unknown) => Promise<Record<string, unknown>>;

  async function onServer(call: Call): Promise<Outcome> {
    const Command = commands[call.operation] as unknown as new (input: unknown) => unknown;
    return send(new Command(call.input)).then((answer) => answerOf(call, answer), failureOf);
  }

  function onModel(call: Call): Outcome {
    try {
      return answerOf(call, model.call(call.operation, call.input) as Record<string, unknown>);
    } catch (thrown) {
      return failureOf(thrown);
    }
  }

  return {
    async both(call: Call): Promise<{ server: Outcome; model: Outcome }> {
      return { server: await onServer(call), model: onModel(call) };
    },

    /**
     * From now on whatever is sent to the server goes to the model as well, one call after the other. What they answer differently is in `differences`,
     * and what was sent is in `sent`.
     */
    follow() {
      const sent: Call[] = [];
      const differences: { call: Call; server: Outcome; model: Outcome }[] = [];
      let before: Promise<unknown> = Promise.resolve();
      const followed = async (command: { input: Record<string, unknown> }, options: unknown): Promise<unknown> => {
        const call = { operation: command.constructor.name.replace(/Command$/, '') as Operation, input: structuredClone(command.input) };
        let fromServer: Outcome | undefined;
        try {
          const answer = await send(command, options);
          fromServer = answerOf(call, structuredClone(answer));
          return answer;
        } catch (thrown) {
          fromServer = failureOf(thrown);
          throw thrown;
        } finally {
          sent.push(call);
          const fromModel = onModel(call);
          if (fromServer && text(fromServer) !== text(fromModel)) differences.push({ call, server: fromServer, model: fromModel });
        }
      };
      Object.assign(server, {
        send(command: { input: Record<string, unknown> }, options: unknown) {
          const done = before.then(() => followed(command, options));
          before = done.catch(() => {});
          return done;
        },
      });
      return { sent, differences };
    },
  };
}

/** Makes a table with keys like the outbox' whose changes are in a stream. -> its ARN */
export async function makeStreamedTable(endpoint: string, TableName: string): Promise<string> {
  const client = new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
  try {
    const { TableDescription } = await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'subject', KeyType: 'HASH' },
          { AttributeName: 'version', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'subject', AttributeType: 'S' },
          { AttributeName: 'version', AttributeType: 'N' },
        ],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      }),
    );
    return TableDescription?.LatestStreamArn ?? '';
  } finally {
    client.destroy();
  }
}
