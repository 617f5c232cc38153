/** Who asks: the claims of a token. */
export interface Who {
  readonly sub: string;
  readonly scope: 'sale:buy' | 'sale:operate';
}

export interface Request {
  /** Unique in a run. */
  readonly id: string;
  /** What it is for: `place`, `pause`, … */
  readonly deed: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly who?: Who;
  readonly key?: string;
  readonly body?: unknown;
  /** The body's text, where it must be this very text. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Reply =
  | { readonly outcome: 'answered'; readonly status: number; readonly body: unknown; readonly text: string; readonly isReplay: boolean }
  /** A crash, or no answer in time: what was asked for may have been done. */
  | { readonly outcome: 'silence'; readonly why: string };

/** A request and what was answered to it, with its times since the people began. */
export interface Exchange {
  readonly request: Request;
  readonly fromMs: number;
  toMs?: number;
  reply?: Reply;
}

/** Problem documents, as far as actors look into them. */
export interface ProblemBody {
  readonly code?: string;
  readonly retryable?: boolean;
  readonly available?: number;
}

export const problemOf = ({ reply }: Exchange): ProblemBody =>
  reply?.outcome === 'answered' && reply.status >= 400 ? ((reply.body ?? {}) as ProblemBody) : {};

export const statusOf = ({ reply }: Exchange): number | undefined => (reply?.outcome === 'answered' ? reply.status : undefined);

/** A line of the story. */
export interface Told {
  readonly atMs: number;
  readonly text: string;
}

const bodyCharactersMax = 260;

/** All that was asked, answered and done to the world, in the order of time. */
export class History {
  readonly exchanges: Exchange[] = [];
  readonly told: Told[] = [];
  readonly #elapsedMs: () => number;
  readonly #listeners: ((exchange: Exchange) => void)[] = [];

  constructor(elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
  }

  tell(text: string): void {
    this.told.push({ atMs: this.#elapsedMs(), text });
  }

  /** Told of each answer as it comes. */
  onReply(listener: (exchange: Exchange) => void): void {
    this.#listeners.push(listener);
  }

  begin(request: Request): Exchange {
    const exchange: Exchange = { request, fromMs: this.#elapsedMs() };
    this.exchanges.push(exchange);
    const { who, method, path, query, key, body, id } = request;
    const said = body === undefined ? '' : ` ${JSON.stringify(body)}`;
    this.tell(
      `${id} ${who?.sub ?? 'somebody'}: ${method} ${path}${query ? `?${query}` : ''}${key === undefined ? '' : ` [${key}]`}${said}`,
    );
    return exchange;
  }

  end(exchange: Exchange, reply: Reply): void {
    exchange.toMs = this.#elapsedMs();
    exchange.reply = reply;
    const said =
      reply.outcome === 'silence'
        ? `no answer (${reply.why})`
        : `${reply.status}${reply.isReplay ? ' replayed' : ''} ${reply.text.slice(0, bodyCharactersMax)}`;
    this.tell(`${exchange.request.id} is answered: ${said}`);
    for (const listener of this.#listeners) listener(exchange);
  }
}
