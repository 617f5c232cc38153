import { connect, type Socket } from 'node:net';

/** A request as it goes over the wire. Nothing about it is checked here: what is odd is sent as it is. */
export interface WireRequest {
  readonly method: string;
  /** The request's target: path and query, as encoded. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | undefined;
}

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated one the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The connection ended, or nothing came in time: what the request did is not known. */
export class NoWireAnswer extends Error {
  override readonly name = 'NoWireAnswer';
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const answerMsMax = 40_000;
const headEnd = Buffer.from('\r\n\r\n');

/** The request's bytes. Header names and values go as Latin-1: each character is one byte. */
export function bytesOf({ method, target, headers, body }: WireRequest): Buffer {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(names.has('host') ? [] : ['host: 127.0.0.1']),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined || names.has('content-length') || names.has('transfer-encoding') ? [] : [`content-length: ${body.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}

/** The answer at the front of what has come, and how many bytes it has; undefined as long as it is not whole. */
export function readAnswer(bytes: Buffer, isHead: boolean, hasEnded: boolean): { answer: WireAnswer; length: number } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const start = end + headEnd.length;
  if (status >= 100 && status < 200) {
    const next = readAnswer(bytes.subarray(start), isHead, hasEnded);
    return next && { answer: next.answer, length: start + next.length };
  }
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const isBodiless = isHead || status === 204 || status === 304;
  const length = isBodiless ? 0 : headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  const whole = length ?? (hasEnded ? bytes.length - start : Number.POSITIVE_INFINITY);
  if (bytes.length - start < whole) return undefined;
  return { answer: { status, headers, text: bytes.subarray(start, start + whole).toString('utf8') }, length: start + whole };
}

/** One keep-alive connection, one request at a time. It is opened when it is needed, and again after it was closed. */
export class Wire {
  readonly #endpoint: Endpoint;
  #socket: Socket | undefined;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Throws `NoWireAnswer`. */
  exchange(request: WireRequest): Promise<WireAnswer> {
    const socket = this.#socket ?? connect({ ...this.#endpoint, noDelay: true });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let received: Buffer = Buffer.alloc(0);
      const settle = (outcome: () => void, isReusable: boolean) => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {});
        if (!isReusable) this.close();
        outcome();
      };
      const fail = (why: string) => settle(() => reject(new NoWireAnswer(why)), false);
      const look = (hasEnded: boolean): boolean => {
        const read = readAnswer(received, request.method === 'HEAD', hasEnded);
        if (!read) return false;
        const isReusable = !hasEnded && read.answer.headers.connection !== 'close' && read.length === received.length;
        settle(() => resolve(read.answer), isReusable);
        return true;
      };
      const timer = setTimeout(() => fail(`no answer within ${answerMsMax} ms`), answerMsMax);
      socket.on('data', (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        look(false);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      socket.on('close', () => look(true) || fail('the connection was closed'));
      socket.write(bytesOf(request));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** The same request for a shell. What a shell can't carry in an argument goes through `printf`. */
export function curlOf({ method, target, headers, body }: WireRequest, url: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const given = headers.map(([name, value]) => ` -H ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`).join('');
  const text = body?.toString('utf8') ?? '';
  const isPlain = body === undefined || (Buffer.from(text, 'utf8').equals(body) && !text.includes('\u0000'));
  const data = body === undefined ? '' : isPlain ? ` --data-binary ${quoted(text)}` : ' --data-binary @-';
  const escaped = isPlain || !body ? '' : `printf '${[...body].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}' | `;
  return `${escaped}curl -i --path-as-is -X ${quoted(method)}${given}${data} ${quoted(`${url.replace(/\/$/, '')}${target}`)}`;
}
