import type { DynamoModel } from '../dynamodb/model.ts';
import type { Random } from '../random.ts';
import type { Bundles } from './bundles.ts';
import type { SimCapacity } from './capacity.ts';
import type { SimQueues } from './queues.ts';
import type { SimRedis, SimRedisServer } from './redis.ts';

export type Target = 'dynamodb' | 'redis' | 'bus' | 'queue' | 'secrets' | 'scheduler' | 'lambda';

/** One call to the outside, as the fault injector sees it before it is done. Each attempt of an SDK is a call of its own. */
export interface IoCall {
  /** `orders/place` for functions/orders/place.handler.ts. */
  readonly functionName: string;
  readonly container: number;
  readonly invocation: number;
  /** Of the calls of this invocation, from 0. */
  readonly index: number;
  /** Of the SDK's own attempts at the same request, from 0. */
  readonly attempt: number;
  readonly target: Target;
  /** `TransactWrite`, `stock.reserve` (a script by its name, any other command by its own in capitals), `PutEvents`, … */
  readonly operation: string;
  readonly input: unknown;
}

export const faults = ['throttled', 'unavailable', 'timeout', 'reset', 'conflict'] as const;
export type Fault = (typeof faults)[number];

/**
 * What becomes of a call. `fail`: not applied; `loseReply`: applied, and the caller sees the error. `die…`: the container is gone, and its
 * invocation answers `died`. `freeze`: the container is suspended that long, the call not yet sent, and then goes on.
 */
export type Verdict =
  | { readonly do: 'pass' }
  | { readonly do: 'delay'; readonly ms: number }
  | { readonly do: 'fail'; readonly error: Fault }
  | { readonly do: 'loseReply'; readonly error: 'timeout' | 'reset' }
  | { readonly do: 'dieBefore' }
  | { readonly do: 'dieAfter' }
  | { readonly do: 'freeze'; readonly ms: number };

export type Judge = (call: IoCall) => Verdict;

/** How an invocation ended. `died`: its container crashed. What a container was asked to do may have been done in either case. */
export type Invocation =
  | { readonly outcome: 'returned'; readonly result: unknown }
  | { readonly outcome: 'threw'; readonly error: unknown }
  | { readonly outcome: 'died' }
  | { readonly outcome: 'timed-out' };

export interface InvokeOptions {
  /** `any` (the default): one that has nothing to do, or a new one. */
  readonly container?: 'any' | 'fresh';
  /** The function's own time, 30 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** By how much the container's clock is ahead during this invocation; negative for one that is behind. */
  readonly skewMs?: number;
}

/** One entry that PutEvents took. */
export interface BusEntry {
  readonly eventId: string;
  readonly atMs: number;
  readonly busName: string;
  readonly source: string;
  readonly detailType: string;
  /** JSON text, as it was sent. */
  readonly detail: string;
  readonly timeMs: number;
}

export interface SimBus {
  /** All entries that were taken, in order. Whoever routes them remembers how far it is. */
  readonly entries: readonly BusEntry[];
  /** Refuses these of an otherwise successful call: answers an error code, or undefined to take the entry. Takes all unless told otherwise. */
  onEntry(refuses: (entry: Omit<BusEntry, 'eventId'>) => string | undefined): void;
}

/** A line that a container wrote. */
export interface LogLine {
  readonly atMs: number;
  readonly functionName: string;
  readonly container: number;
  readonly invocation: number;
  readonly text: string;
}

export interface Trace {
  /** The hash over every scheduled step so far: the same seed gives the same. */
  hash(): string;
  readonly steps: number;
  /** One line per step, if they were asked for. */
  readonly lines?: readonly string[];
  /** The last lines that containers wrote, at most `logLinesMax`. */
  readonly logs: readonly LogLine[];
}

export interface Machine {
  readonly random: Random;
  /** Virtual. */
  nowMs(): number;
  /** Direct access for invariants: no I/O, no fault. */
  readonly database: DynamoModel;
  readonly redis: SimRedis;
  readonly queues: SimQueues;
  readonly bus: SimBus;
  readonly capacity: SimCapacity;
  /** The same as `bus.entries`. */
  readonly busEntries: readonly BusEntry[];
  /** The names of all functions, sorted. */
  readonly functionNames: readonly string[];
  /**
   * Runs a function once in a container that has nothing else to do. The event and the result go through JSON, as in Lambda. Only within `run`. Throws
   * `UnknownFunction`.
   */
  invoke(functionName: string, event: unknown, options?: InvokeOptions): Promise<Invocation>;
  /** Virtual, for actors. Only within `run`. */
  sleep(ms: number): Promise<void>;
  /** Decides about each call; everything passes unless told otherwise. */
  onIo(judge: Judge): void;
  /**
   * Drives the scheduler until `main` has settled: each call to the outside and each timer has a moment, drawn by the seeded random, and virtual time jumps
   * from one to the next. Throws `Stuck` when nothing is left to happen, `TooManySteps` beyond `stepsMax`, and what `main` throws.
   */
  run(main: () => Promise<void>): Promise<void>;
  readonly trace: Trace;
  /** Drops all containers. The Redis server stays for the next machine. */
  stop(): Promise<void>;
}

export interface MachineOptions {
  readonly seed: number;
  readonly bundles: Bundles;
  readonly redis: SimRedisServer;
  /** The variables of each function, on top of `simulatedEnvironment`. */
  readonly environment?: Readonly<Record<string, string>> | ((functionName: string) => Readonly<Record<string, string>>);
  /** When virtual time begins: a fixed moment unless said otherwise. */
  readonly startMs?: number;
  /** Index entries of DynamoDB become visible at most so much later; 0 (at once) unless said otherwise. */
  readonly indexLagMsMax?: number;
  /** How long the way to a service takes, and the way back; 0.2 to 8 ms unless said otherwise. One in twenty takes ten times as long. */
  readonly wayMs?: { readonly min: number; readonly max: number };
  /** Keeps a line per step. */
  readonly lines?: boolean;
  readonly logLinesMax?: number;
  readonly stepsMax?: number;
}
