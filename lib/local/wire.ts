import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problemResponse } from '../../functions/shared/problems.ts';
import type { HttpReply } from './http-event.ts';

/** Beyond this a body is refused; beyond ten times this nothing more of it is read. */
const bodyBytesMax = 1024 * 1024;
const drainBytesMax = 10 * bodyBytesMax;
/** How long whoever is still sending has to read why nobody listens any more. Closing at once would take the answer from them. */
const lingerMs = 1_000;

/** The client closed its connection before its request was whole. */
export class HungUp extends Error {
  override readonly name = 'HungUp';
}

/** Path and query of a request's target, which may be a whole address (RFC 9112, 3.2.2: every server takes that form). */
export function splitTarget(target: string): { path: string; queryString: string } {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const at = local.indexOf('?');
  const [path, queryString] = at < 0 ? [local, ''] : [local.slice(0, at), local.slice(at + 1)];
  return { path: path || '/', queryString };
}

/** The whole body. Throws `HungUp`, and a problem when it is too large, after reading it as far as that is bearable. */
export function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const tooLarge = (headers = {}) => new Problem('BODY_TOO_LARGE', `A body may have at most ${bodyBytesMax} bytes.`, {}, headers);
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bodyBytesMax) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes <= drainBytesMax) return;
      incoming.pause();
      reject(tooLarge({ connection: 'close' }));
    });
    incoming.once('end', () => {
      if (bytes > bodyBytesMax) reject(tooLarge());
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    const hungUp = () => reject(new HungUp('the connection was closed'));
    incoming.once('error', hungUp);
    incoming.once('close', hungUp);
  });
}

/** A problem as it is answered. */
export function refusal(problem: Problem, path: string): HttpReply {
  const { status, headers, body } = problemResponse(problem, path);
  return { status, headers, body: JSON.stringify(body) };
}

/** Sends a reply. One that says `connection: close` ends the connection, whatever is still coming in. */
export function send(incoming: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpReply): void {
  if (response.destroyed) return;
  const bytes = status === 204 || status === 304 ? 0 : Buffer.byteLength(body);
  // What a function leaves out of its answer to HEAD has a length all the same, and nobody here knows it.
  const lengthIsKnown = bytes > 0 || (incoming.method !== 'HEAD' && status !== 204 && status !== 304);
  response.writeHead(status, {
    ...(headers as Record<string, string | string[]>),
    ...(lengthIsKnown ? { 'content-length': bytes } : {}),
  });
  const text = bytes > 0 && incoming.method !== 'HEAD' ? body : undefined;
  if (headers.connection !== 'close') return void response.end(text);
  if (text !== undefined) response.write(text);
  setTimeout(() => response.end(), lingerMs).unref();
}

const reasons = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
} as const;

/** What Node's parser stumbled over, by the code of its error; a mistake in the request's form unless it stands here. */
const failures: Readonly<Record<string, readonly [keyof typeof reasons, Problem]>> = {
  HPE_HEADER_OVERFLOW: [431, new Problem('INVALID_REQUEST', 'The headers are too large.')],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, new Problem('BODY_TOO_LARGE', 'The extensions of the body’s chunks are too large.')],
  ERR_HTTP_REQUEST_TIMEOUT: [408, new Problem('INVALID_REQUEST', 'The request did not arrive in time.')],
};

/** A whole answer as it goes over the wire, for when Node has a connection and no response to it. The connection ends with it. */
export function answerOnWire(status: keyof typeof reasons, problem: Problem): string {
  const { headers, body } = problemResponse(problem, '/');
  const text = JSON.stringify({ ...body, status });
  const lines = {
    ...headers,
    'x-request-id': randomUUID(),
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reasons[status]}\r\n${head.join('')}\r\n${text}`;
}

/** What came is no request, or not in time. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, problem] = failures[error.code ?? ''] ?? [400, new Problem('INVALID_REQUEST', 'The request is not valid HTTP.')];
  endWith(socket, answerOnWire(status, problem));
}

/** This is no proxy: `CONNECT` leads nowhere, and no other method would either. */
export function refuseTunnel(_: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => {});
  endWith(socket, answerOnWire(405, new Problem('METHOD_NOT_ALLOWED', 'This is no proxy.', {}, { allow: '' })));
}

function endWith(socket: Duplex, text: string): void {
  socket.end(text);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
