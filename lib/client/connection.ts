import { Pool } from 'undici';
import type { ProblemBody } from './contract.ts';

export type Headers = Readonly<Record<string, string>>;

interface Received {
  readonly status: number;
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Headers;
  /** The body as it came. */
  readonly text: string;
}

/** Any answer, also a refusal, is a value. `body` of a refusal is undefined if it was no problem document: a gateway's own refusal. */
export type Answer<Body> =
  | (Received & { readonly ok: true; readonly body: Body })
  | (Received & { readonly ok: false; readonly body: ProblemBody | undefined });

/** No answer came: refused, reset, or too late. What the request did is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export interface ConnectionOptions {
  /** The most sockets kept open, and so the most requests in flight; more are queued here. */
  readonly connections?: number;
  /** How long one answer may take, from the moment a socket is free for it. */
  readonly timeoutMs?: number;
}

export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  /** Path and query, below the base address. */
  readonly path: string;
  readonly headers?: Headers;
  readonly body?: string;
}

const flattened = (headers: Readonly<Record<string, string | string[] | undefined>>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bodyOf<Body>(received: Received): Answer<Body> {
  const mediaType = received.headers['content-type'] ?? '';
  if (received.status < 400) {
    // The type is the caller's claim by route, as with any HTTP client; the acceptance tests are what holds the server to it.
    return { ...received, ok: true, body: (/\bjson\b/.test(mediaType) ? parsed(received.text) : received.text) as Body };
  }
  const isProblem = mediaType.startsWith('application/problem+json');
  return { ...received, ok: false, body: isProblem ? (parsed(received.text) as ProblemBody) : undefined };
}

/** Keep-alive connections to one endpoint. Nothing is ever sent twice here: whoever wants a retry asks for it with the same key. */
export class Connection {
  readonly baseUrl: string;
  readonly #pool: Pool;
  readonly #prefix: string;

  constructor(baseUrl: string, { connections = 64, timeoutMs = 15_000 }: ConnectionOptions = {}) {
    const url = new URL(baseUrl);
    this.baseUrl = url.href;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(url.origin, {
      connections,
      pipelining: 1,
      connect: { timeout: 5_000 },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Throws `NoAnswer` when none came in time; never for a status. */
  async send<Body>({ method, path, headers = {}, body }: Outgoing): Promise<Answer<Body>> {
    try {
      const response = await this.#pool.request({ method, path: this.#prefix + path, headers, body: body ?? null });
      const text = await response.body.text();
      return bodyOf<Body>({ status: response.statusCode, headers: flattened(response.headers), text });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message || ('code' in cause ? String(cause.code) : cause.name) : String(cause);
      throw new NoAnswer(`${method} ${path}: no answer from ${this.baseUrl} (${why})`, { cause });
    }
  }

  /** Waits for what is in flight, then closes every socket. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}
