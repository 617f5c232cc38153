/** An error that the server answered, as ioredis gives it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
  readonly command?: { readonly name: string; readonly args: readonly unknown[] };
}

/** Text, a whole number, nothing, an error, or a list of them. */
export type Reply = string | number | null | ReplyError | Reply[];

/** A command as the protocol wants it (RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/). */
export function writeCommand(words: readonly (string | number)[]): Buffer {
  const parts = words.map((word) => {
    const text = String(word);
    return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  });
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** Not all of the answer is there yet. */
class CutOff extends Error {}

/** The one answer that these bytes are, or undefined while they are only its beginning. Throws when they are more than one. */
export function readReply(bytes: Buffer): Reply | undefined {
  const reader = new Reader(bytes);
  try {
    const reply = reader.read();
    if (reader.at !== bytes.length) throw new Error('more than one answer');
    return reply;
  } catch (error) {
    if (error instanceof CutOff) return undefined;
    throw error;
  }
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): Reply {
    const kind = String.fromCharCode(this.#bytes[this.at] ?? 0);
    const text = this.#line();
    if (kind === '+') return text;
    if (kind === '-') return new ReplyError(text);
    if (kind === ':') return Number(text);
    if (kind === '$') return this.#bulk(Number(text));
    if (kind !== '*') throw new Error(`an answer of an unknown kind: ${kind}`);
    return Number(text) < 0 ? null : Array.from({ length: Number(text) }, () => this.read());
  }

  #line(): string {
    const end = this.#bytes.indexOf('\r\n', this.at);
    if (end < 0) throw new CutOff();
    const text = this.#bytes.toString('utf8', this.at + 1, end);
    this.at = end + 2;
    return text;
  }

  #bulk(length: number): string | null {
    if (length < 0) return null;
    const end = this.at + length;
    if (end + 2 > this.#bytes.length) throw new CutOff();
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 2;
    return text;
  }
}
