import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { clientDefaults } from './aws.ts';
import type { Database } from './dynamo.ts';

/** The database behind a document client. */
export const documentDatabase = (client: Pick<DynamoDBDocumentClient, 'send'>): Database => ({
  get: (input, options) => client.send(new GetCommand(input), options),
  put: (input, options) => client.send(new PutCommand(input), options),
  update: (input, options) => client.send(new UpdateCommand(input), options),
  delete: (input, options) => client.send(new DeleteCommand(input), options),
  query: (input, options) => client.send(new QueryCommand(input), options),
  scan: (input, options) => client.send(new ScanCommand(input), options),
  batchGet: (input, options) => client.send(new BatchGetCommand(input), options),
  transactWrite: (input, options) => client.send(new TransactWriteCommand(input), options),
});

/**
 * The database by the SDK, for every function but those that buyers wait for. One client per container. `requestMsMax`: how long one attempt of a
 * request may take, where it is not what every client's may.
 */
export function connectDatabase({ requestMsMax = clientDefaults.requestHandler.requestTimeout } = {}): Database {
  const requestHandler = { ...clientDefaults.requestHandler, requestTimeout: requestMsMax };
  const client = new DynamoDBClient({ ...clientDefaults, requestHandler });
  return documentDatabase(DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }));
}
