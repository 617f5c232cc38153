import type { IoCall, Verdict } from '../simulation/machine/contract.ts';

/** What goes wrong at a point: the container is gone before its call, or after it was done; or the call was done and only its reply is lost. */
export const modes = ['die-before', 'die-after', 'reply-lost'] as const;
export type Mode = (typeof modes)[number];

export const verdictOf = (mode: Mode): Verdict => {
  if (mode === 'die-before') return { do: 'dieBefore' };
  if (mode === 'die-after') return { do: 'dieAfter' };
  return { do: 'loseReply', error: 'timeout' };
};

/** One call to the outside as a run of a scenario has made it. */
export interface Seen {
  /** Its place among all calls of the run, from 0: a run that is the same until then makes it again. */
  readonly at: number;
  readonly functionName: string;
  /** Of the calls of its invocation, from 0. */
  readonly index: number;
  /** What it asks of whom: `redis stock.reserve`, `dynamodb TransactWrite orders=CONFIRMED units accounts`. */
  readonly label: string;
  /** How many calls with this label its invocation has made before. */
  readonly nth: number;
}

/** A place in a scenario where a function may fail. */
export interface Point extends Seen {
  readonly scenario: string;
  readonly mode: Mode;
}

export const idOf = ({ scenario, at, mode }: Pick<Point, 'scenario' | 'at' | 'mode'>): string => `${scenario}/${at}/${mode}`;
export const describePoint = (point: Point): string =>
  `${idOf(point)} (${point.functionName}, call ${point.index}: ${point.label}${point.nth > 0 ? `, its ${point.nth + 1}.` : ''})`;

interface WriteBody {
  readonly TableName?: string;
  readonly Item?: { readonly status?: unknown; readonly tombstone?: unknown; readonly payment?: { readonly state?: unknown } };
}

interface DynamoInput extends WriteBody {
  readonly TransactItems?: readonly Readonly<Record<string, WriteBody>>[];
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly IndexName?: string;
}

/** A write by its table, and of an order also what the order becomes. */
function writeOf({ TableName = '?', Item }: WriteBody): string {
  if (TableName !== 'orders' || Item === undefined) return TableName;
  return `orders=${Item.tombstone === true ? 'tombstone' : `${Item.status}/${Item.payment?.state}`}`;
}

/** What a call is, in words that two calls share when they do the same. */
export function labelOf({ target, operation, input }: Pick<IoCall, 'target' | 'operation' | 'input'>): string {
  if (target !== 'dynamodb') return `${target} ${operation}`;
  const body = input as DynamoInput;
  const writes = body.TransactItems?.flatMap((write) => Object.values(write).map(writeOf));
  const about = writes ?? (body.RequestItems ? Object.keys(body.RequestItems) : [writeOf(body)]);
  return [target, operation, ...new Set(about), ...(body.IndexName === undefined ? [] : [`by ${body.IndexName}`])].join(' ');
}

const reads = {
  dynamodb: /^dynamodb (Get|Query|BatchGet|Scan|TransactGet|DescribeTable)\b/,
  redis: /^redis (stock\.(read|suspects|closed-since)|[A-Z]*(GET|GETALL|EXISTS|SCAN|RANGE|RANGEBYLEX|INFO|TIME|PING))$/,
  others: /^(secrets |queue (GetQueueAttributes|ReceiveMessage)$|lambda Get)/,
};

/** Calls that change nothing: whoever dies there has done no more than what was done before. */
const isRead = (label: string): boolean => Object.values(reads).some((pattern) => pattern.test(label));

/**
 * Of calls that are alike so many are tried: of writes the first ones and the last in each scenario; of reads the first in each of some scenarios, for
 * whoever dies there has done what was done before, and that is a point of its own.
 */
const writesAlike = 3;
const readsAlike = 4;
/** A loop's first and second turn are told apart; further ones are like the second. */
const turnsMax = 1;

const kindOf = ({ functionName, label, nth }: Seen): string => [functionName, label, Math.min(nth, turnsMax)].join(' | ');

/** The points of all scenarios: every kind of call of every handler, each a bounded number of times, and everything that may happen at it. */
export function pointsOf(runs: readonly { readonly scenario: string; readonly calls: readonly Seen[] }[]): Point[] {
  const readsSoFar = new Map<string, number>();
  return runs.flatMap(({ scenario, calls }) => {
    const chosen = [...Map.groupBy(calls, kindOf)].flatMap(([kind, group]) => {
      if (!isRead(group[0]?.label ?? ''))
        return group.length <= writesAlike ? group : [...group.slice(0, writesAlike - 1), ...group.slice(-1)];
      const before = readsSoFar.get(kind) ?? 0;
      readsSoFar.set(kind, before + 1);
      return before < readsAlike ? group.slice(0, 1) : [];
    });
    return chosen.toSorted((one, other) => one.at - other.at).flatMap((seen) => modes.map((mode) => ({ ...seen, scenario, mode })));
  });
}

/** Notes each call of a run. */
export class Recorder {
  readonly calls: Seen[] = [];
  readonly #counts = new Map<string, number>();
  #at = 0;

  /** `isPlaying`: whether the scenario has begun; what comes before has its place, and is no point. */
  see(call: IoCall, isPlaying: boolean): Seen {
    const label = labelOf(call);
    const key = `${call.invocation} ${label}`;
    const nth = this.#counts.get(key) ?? 0;
    this.#counts.set(key, nth + 1);
    const seen: Seen = { at: this.#at++, functionName: call.functionName, index: call.index, label, nth };
    if (isPlaying) this.calls.push(seen);
    return seen;
  }
}
