import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventBus } from '../../../functions/messaging/bus.ts';
import type { BusEntry } from '../../../functions/messaging/dispatch.ts';
import { closeServer, listenLocally } from '../../../lib/local/aws-json.ts';

/** What EventBridge answers next, and what it was asked. */
let answer: { readonly status: number; readonly body: object };
let asked: { Entries: Record<string, unknown>[] }[] = [];
const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  asked.push(JSON.parse(text));
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer.body));
});

beforeAll(async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', await listenLocally(server));
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await closeServer(server);
});
beforeEach(() => {
  asked = [];
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());

const entry = (name: string): BusEntry => ({ source: 'stampede.orders', name, detail: { eventId: name }, atMs: 1_700_000_000_000 });

describe('the event bus', () => {
  it('says of each entry whether it was taken, and of each other why not', async () => {
    const Entries = [{ EventId: 'e-1' }, { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }, { ErrorCode: 'InternalFailure' }];
    answer = { status: 200, body: { FailedEntryCount: 2, Entries } };
    const verdicts = await eventBus('the-bus').publish([entry('A'), entry('B'), entry('C')]);
    expect(verdicts).toEqual(['taken', { refused: 'ThrottlingException: slow down' }, { refused: 'InternalFailure' }]);
    expect(asked).toMatchObject([{ Entries: ['A', 'B', 'C'].map((DetailType) => ({ DetailType, EventBusName: 'the-bus' })) }]);
  });

  it('takes nothing for published of which it hears nothing', async () => {
    answer = { status: 200, body: { FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] } };
    expect(await eventBus('the-bus').publish([entry('A'), entry('B')])).toEqual(['taken', { refused: 'no result' }]);
  });

  it('blames the entries for a call that is refused as a whole because of them', async () => {
    answer = { status: 400, body: { __type: 'ValidationException', message: 'too large' } };
    expect(await eventBus('the-bus').publish([entry('A')])).toEqual([{ refused: 'ValidationException: too large' }]);
  });

  it('throws when nothing is known of any entry', async () => {
    answer = { status: 400, body: { __type: 'AccessDeniedException', message: 'not yours' } };
    await expect(eventBus('the-bus').publish([entry('A')])).rejects.toThrow('not yours');
  });
});
