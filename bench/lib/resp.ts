import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

// A client that does as little as a client can, so that the server is what is measured: requests are encoded before the clock starts, and
// of each reply it looks for the end and compares how it begins, of a text the text itself. (RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/)

/** A command as Redis reads it. ASCII only. */
export const encode = (words: readonly (string | number)[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${String(word).length}\r\n${word}\r\n`).join('')}`;

const [plus, minus, colon, dollar, star] = [...'+-:$*'].map((mark) => mark.charCodeAt(0));
const newline = 10;

/** Where the reply that begins at `at` ends, or -1 when the rest of it is still to come. Exported for its test. */
export function endOfReply(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf(newline, at);
  if (lineEnd === -1) return -1;
  const mark = bytes[at];
  if (mark === plus || mark === minus || mark === colon) return lineEnd + 1;
  const count = numberAt(bytes, at + 1);
  if (mark === dollar) {
    const end = count < 0 ? lineEnd + 1 : lineEnd + 1 + count + 2;
    return end <= bytes.length ? end : -1;
  }
  if (mark !== star) throw new Error(`not a reply: ${bytes.toString('latin1', at, at + 20)}`);
  let end = lineEnd + 1;
  for (let element = 0; element < count; element++) {
    end = endOfReply(bytes, end);
    if (end === -1) return -1;
  }
  return end;
}

function numberAt(bytes: Buffer, at: number): number {
  if (bytes[at] === 0x2d) return -1;
  let value = 0;
  for (let digit = bytes[at] ?? 0; digit >= 0x30 && digit <= 0x39; digit = bytes[++at] ?? 0) value = value * 10 + digit - 0x30;
  return value;
}

function beginsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
  return true;
}

export interface Batches {
  /** Each of `size` requests, put together; the last may have fewer. */
  readonly texts: readonly string[];
  readonly sizes: readonly number[];
}

/** So many requests go out at once and are answered before the next go out. */
export function batchesOf(requests: readonly string[], size: number): Batches {
  const groups = Array.from({ length: Math.ceil(requests.length / size) }, (_, index) => requests.slice(index * size, (index + 1) * size));
  return { texts: groups.map((group) => group.join('')), sizes: groups.map(({ length }) => length) };
}

export interface Answered {
  readonly calls: number;
  readonly wallMs: number;
  /** Of each batch, from when it was written to its last answer. */
  readonly batchMs: readonly number[];
  /** Replies that did not begin as they should, and the first of them. */
  readonly unexpected: number;
  readonly firstUnexpected: string | undefined;
}

export interface RespClient {
  /** Sends all batches over the connections, each connection the next one as soon as it has its answers. `expected`: how every reply begins, or its text. */
  send(batches: Batches, expected: string): Promise<Answered>;
  close(): void;
}

/** Throws when a connection can't be opened. */
export async function openResp(port: number, connections: number): Promise<RespClient> {
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  return {
    async send(batches, expected) {
      const run = new Run(batches, Buffer.from(expected, 'latin1'));
      const startMs = performance.now();
      await Promise.all(sockets.map((socket) => run.drive(socket)));
      const wallMs = performance.now() - startMs;
      const { calls, batchMs, unexpected, firstUnexpected } = run;
      return { calls, wallMs, batchMs, unexpected, firstUnexpected };
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

class Run {
  calls = 0;
  unexpected = 0;
  firstUnexpected: string | undefined;
  readonly batchMs: number[] = [];
  readonly #batches: Batches;
  readonly #expected: Buffer;
  #next = 0;

  constructor(batches: Batches, expected: Buffer) {
    this.#batches = batches;
    this.#expected = expected;
  }

  /** One connection's part: resolves when no batch is left and all of its own are answered. */
  drive(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      let waitsFor = 0;
      let sentMs = 0;
      let rest: Buffer | undefined;
      const sendNext = () => {
        const batch = this.#next++;
        const text = this.#batches.texts[batch];
        if (text === undefined) return finish();
        waitsFor = this.#batches.sizes[batch] ?? 0;
        sentMs = performance.now();
        socket.write(text, 'latin1');
      };
      const onData = (chunk: Buffer) => {
        const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
        let at = 0;
        try {
          while (at < bytes.length) {
            const end = endOfReply(bytes, at);
            if (end === -1) break;
            this.#judge(bytes, at, end);
            waitsFor--;
            at = end;
          }
        } catch (error) {
          return fail(error);
        }
        rest = at < bytes.length ? bytes.subarray(at) : undefined;
        if (waitsFor > 0) return;
        this.batchMs.push(performance.now() - sentMs);
        sendNext();
      };
      const fail = (error: unknown) => {
        unlisten();
        reject(error);
      };
      const onClose = () => fail(new Error('Redis closed the connection'));
      const unlisten = () => socket.off('data', onData).off('error', fail).off('close', onClose);
      const finish = () => {
        unlisten();
        resolve();
      };
      socket.on('data', onData).on('error', fail).on('close', onClose);
      sendNext();
    });
  }

  #judge(bytes: Buffer, at: number, end: number): void {
    this.calls++;
    const textAt = bytes[at] === dollar ? bytes.indexOf(newline, at) + 1 : at;
    if (beginsWith(bytes, textAt, this.#expected)) return;
    this.unexpected++;
    this.firstUnexpected ??= bytes.toString('latin1', at, Math.min(end, at + 200));
  }
}
