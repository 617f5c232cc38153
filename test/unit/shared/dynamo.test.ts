import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientDefaults } from '../../../functions/shared/aws.ts';
import { connectDatabase as connectBySdk, documentDatabase } from '../../../functions/shared/dynamo.sdk.ts';
import { transact, UnsettledTransaction } from '../../../functions/shared/dynamo.ts';
import { connectDatabase as connectByWire } from '../../../functions/shared/dynamo.wire.ts';

/** A database that answers as told, for what the local server never says. */
function answering(...answers: (Error | 'committed')[]) {
  const tokens: unknown[] = [];
  const send = async (command: { input: { ClientRequestToken?: string } }) => {
    tokens.push(command.input.ClientRequestToken);
    const answer = answers[Math.min(tokens.length, answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return {};
  };
  return { database: documentDatabase({ send } as unknown as DynamoDBDocumentClient), tokens };
}

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });
const lostReply = () => Object.assign(new Error('the socket was closed'), { code: 'ECONNRESET' });

describe('a transaction', () => {
  it('whose reply was lost is asked for again under the same token, so that it is not refused by itself', async () => {
    const { database, tokens } = answering(lostReply(), 'committed');
    expect(await transact(database, [])).toEqual({ outcome: 'committed' });
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
  });

  it('is not refused while another writer is at its items: what that one leaves is not known yet', async () => {
    const { database } = answering(cancelled('TransactionConflict', 'None', 'ConditionalCheckFailed'), 'committed');
    expect(await transact(database, [])).toEqual({ outcome: 'committed' });
  });

  it('is refused at once by conditions alone, naming them', async () => {
    const { database, tokens } = answering(cancelled('None', 'ConditionalCheckFailed'));
    expect(await transact(database, [])).toEqual({ outcome: 'refused', refusals: [{ index: 1, item: undefined }] });
    expect(tokens).toHaveLength(1);
  });

  it('says that it does not know, when nobody tells', async () => {
    await expect(transact(answering(lostReply()).database, [])).rejects.toBeInstanceOf(UnsettledTransaction);
  });

  it('does not repeat a mistake of the program', async () => {
    const { database, tokens } = answering(Object.assign(new TypeError('not a string'), { code: 'ERR_INVALID_ARG_TYPE' }));
    await expect(transact(database, [])).rejects.toThrow('not a string');
    expect(tokens).toHaveLength(1);
  });
});

describe.each([
  ['the SDK', connectBySdk],
  ['calls of our own', connectByWire],
])('a socket that never answers %s', (_, connect) => {
  afterEach(() => vi.unstubAllEnvs());

  it('ends a call as an error, after it was tried on others', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', `http://127.0.0.1:${address.port}`);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    try {
      await expect(connect().get({ TableName: 'orders', Key: { orderId: 'o' } })).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(sockets.size).toBe(clientDefaults.maxAttempts);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
