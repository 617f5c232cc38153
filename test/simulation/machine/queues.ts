import type { Random } from '../random.ts';

/** A message in a queue of SQS, as functions have sent it. */
export interface SimMessage {
  readonly messageId: string;
  readonly body: string;
  readonly sentAtMs: number;
  /** When it may be received next. */
  readonly visibleAtMs: number;
  readonly receivedTimes: number;
  /** By name, as SQS hands them over; dead letters of the bus have ERROR_CODE and ERROR_MESSAGE. */
  readonly attributes: Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;
}

/** The queues by URL. The functions send to them (and move dead letters); whoever plays SQS takes messages out and delivers them. */
export interface SimQueues {
  /** Those that anything was ever sent to. */
  readonly urls: readonly string[];
  /** All messages that are there, hidden ones too, in order of arrival. */
  messages(url: string): readonly SimMessage[];
  /** Puts a message in from outside: what a rule of the bus delivers, or a dead letter. Functions' own come in the same way. */
  send(url: string, body: string, attributes?: SimMessage['attributes']): SimMessage;
  /** Takes at most `count` visible messages and hides them for `hiddenMs`; their count of receipts goes up. */
  receive(url: string, count: number, hiddenMs: number): SimMessage[];
  /** Whether it was there. */
  remove(url: string, messageId: string): boolean;
  hide(url: string, messageId: string, hiddenMs: number): boolean;
  /** Told of each message that comes in, by whomever. */
  onMessage(listener: (url: string, message: SimMessage) => void): void;
}

export function simQueues(nowMs: () => number, random: Random): SimQueues {
  const queues = new Map<string, SimMessage[]>();
  const listeners: ((url: string, message: SimMessage) => void)[] = [];
  const queueOf = (url: string) => {
    const known = queues.get(url) ?? [];
    queues.set(url, known);
    return known;
  };
  const newId = () => Array.from({ length: 32 }, () => random.int(16).toString(16)).join('');
  const change = (url: string, messageId: string, changes: Partial<SimMessage>): SimMessage | undefined => {
    const queue = queueOf(url);
    const at = queue.findIndex((message) => message.messageId === messageId);
    const found = queue[at];
    if (!found) return undefined;
    const changed = { ...found, ...changes };
    queue[at] = changed;
    return changed;
  };
  return {
    get urls() {
      return [...queues.keys()];
    },
    messages: (url) => [...(queues.get(url) ?? [])],
    send(url, body, attributes = {}) {
      const message = { messageId: newId(), body, sentAtMs: nowMs(), visibleAtMs: nowMs(), receivedTimes: 0, attributes };
      queueOf(url).push(message);
      for (const listener of listeners) listener(url, message);
      return message;
    },
    receive(url, count, hiddenMs) {
      const visible = queueOf(url).filter(({ visibleAtMs }) => visibleAtMs <= nowMs());
      return visible.slice(0, count).flatMap(({ messageId, receivedTimes }) => {
        const taken = change(url, messageId, { visibleAtMs: nowMs() + hiddenMs, receivedTimes: receivedTimes + 1 });
        return taken ? [taken] : [];
      });
    },
    remove(url, messageId) {
      const queue = queueOf(url);
      const at = queue.findIndex((message) => message.messageId === messageId);
      if (at >= 0) queue.splice(at, 1);
      return at >= 0;
    },
    hide: (url, messageId, hiddenMs) => change(url, messageId, { visibleAtMs: nowMs() + hiddenMs }) !== undefined,
    onMessage: (listener) => void listeners.push(listener),
  };
}
