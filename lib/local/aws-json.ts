import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { region } from './intrinsics.ts';

/** AWS' JSON protocol (1.0 and 1.1), both ends, for the services of our own: a POST with the action's name in `X-Amz-Target`. */

/** A service refused; `code` is the error's name in the protocol. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What servers of our own never check, and what tools read the region from. */
export const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20000101/${region}/local/aws4_request, SignedHeaders=host, Signature=0`;
const bodyBytesMax = 2 * 1024 * 1024;
/** A page of stream records, or ten large messages. */
const answerBytesMax = 64 * 1024 * 1024;
const callMsMax = 30_000;

export interface JsonClient {
  /** Calls an action. Rejects with `ServiceError` for a refusal, and with whatever went wrong on the way. */
  call(action: string, input: object, signal?: AbortSignal): Promise<unknown>;
  close(): void;
}

/** Unsigned calls over connections that stay open: a tenth of what the SDK's cost, for what polls all day. */
export function jsonClient(url: string, service: string): JsonClient {
  const agent = new Agent({ keepAlive: true });
  return {
    call: (action, input, signal) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify(input);
        const headers = {
          'content-type': 'application/x-amz-json-1.0',
          'content-length': Buffer.byteLength(body),
          'x-amz-target': `${service}.${action}`,
          authorization,
          // The database asks for a date and does not look at it.
          'x-amz-date': '20000101T000000Z',
        };
        const outgoing = request(url, { method: 'POST', agent, headers, signal, timeout: callMsMax }, (response) => {
          readBody(response, answerBytesMax).then((text) => {
            if (response.statusCode === 200) return resolve(text === '' ? {} : JSON.parse(text));
            const { __type, message } = (text.startsWith('{') ? JSON.parse(text) : {}) as { __type?: string; message?: string };
            return reject(new ServiceError(__type?.split('#').at(-1) ?? `HTTP ${response.statusCode}`, message ?? text.slice(0, 500)));
          }, reject);
        });
        outgoing.once('timeout', () => outgoing.destroy(new Error(`${action} took over ${callMsMax} ms`)));
        outgoing.once('error', reject);
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}

export interface JsonServer {
  readonly url: string;
  stop(): Promise<void>;
}

export type Actions = Readonly<Record<string, (input: Record<string, unknown>) => Promise<object>>>;

/** Serves actions on a free port of 127.0.0.1. An action refuses by throwing `ServiceError`. */
export async function serveJson(service: string, actions: Actions): Promise<JsonServer> {
  const server = createServer((incoming, response) => void answer(service, actions, incoming, response));
  server.keepAliveTimeout = 60_000;
  return { url: await listenLocally(server), stop: () => closeServer(server) };
}

async function answer(service: string, actions: Actions, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  try {
    const [target, action = ''] = String(incoming.headers['x-amz-target']).split('.');
    const run = target === service && Object.hasOwn(actions, action) ? actions[action] : undefined;
    const text = await readBody(incoming);
    if (!run)
      throw new ServiceError(
        'UnknownOperationException',
        `The embedded runtime does not know ${String(incoming.headers['x-amz-target'])}.`,
      );
    reply(200, await run(JSON.parse(text) as Record<string, unknown>));
  } catch (error) {
    if (error instanceof ServiceError) reply(400, { __type: error.code, message: error.message });
    else reply(500, { __type: 'InternalFailure', message: String(error) });
  }
}

export async function readBody(message: IncomingMessage, bytesMax = bodyBytesMax): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new ServiceError('RequestTooLarge', `A body may have at most ${bytesMax} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Listens on 127.0.0.1, on a free port unless one is given; the address it got. */
export async function listenLocally(server: Server, port = 0): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Closes a server and every connection to it. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
