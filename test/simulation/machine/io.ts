import type { Random } from '../random.ts';
import type { Container } from './container.ts';
import type { Fault, IoCall, Judge, Target, Verdict } from './contract.ts';
import type { Scheduler, Task } from './scheduler.ts';
import type { Tracer } from './trace.ts';

/** One attempt at one request. */
export interface Exchange {
  readonly target: Target;
  readonly operation: string;
  readonly input: unknown;
  /** The input as the trace has it, where that is shorter. */
  readonly told?: unknown;
  readonly attempt: number;
  /** What the service does, at one moment. What it throws is its answer, if it is `isAnswer`. */
  readonly apply: () => unknown;
  readonly isAnswer: (error: unknown) => boolean;
  /** How long whoever asks waits. */
  readonly timeoutMs: number;
  readonly errorOf: (fault: Fault) => Error;
  readonly signal?: AbortSignal | undefined;
  /** What is sent over one connection arrives, and is answered, in its order. */
  readonly line?: Line;
  /** How much longer the service takes for its answer. */
  readonly extraMs?: (answer: unknown) => number;
}

/** One connection. */
export interface Line {
  arrivesUs: number;
  answersUs: number;
  /** Rejects what waits for its answer. */
  readonly waiting: Set<(error: Error) => void>;
}

export const newLine = (): Line => ({ arrivesUs: 0, answersUs: 0, waiting: new Set() });

interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Tracer;
  readonly wayMs: { readonly min: number; readonly max: number };
}

const slowShare = 0.05;
const slowFactor = 10;

/** A promise that nobody will ever settle: what a container that is gone waits for. */
const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** Everything between containers and services: how long it takes, and what goes wrong. */
export class Network {
  judge: Judge = () => ({ do: 'pass' });
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #trace: Tracer;
  readonly #wayMs: NetworkOptions['wayMs'];

  constructor({ scheduler, random, trace, wayMs }: NetworkOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#trace = trace;
    this.#wayMs = wayMs;
  }

  /** One way, in microseconds. Some take far longer, or what is sent first would nearly always arrive first. */
  wayUs(): number {
    const { min, max } = this.#wayMs;
    const us = 1_000 * (min + this.#random.next() * (max - min));
    return Math.round(this.#random.chance(slowShare) ? us * slowFactor : us);
  }

  /** Sends, waits, and gives the answer, or throws what the caller would see. Never settles when the container is gone. */
  exchange(container: Container, asked: Exchange): Promise<unknown> {
    if (container.isGone) return never();
    return new Promise((resolve, reject) => {
      const send = () => this.#send(container, asked, resolve, reject);
      // What is still running while it freezes is not there to send anything.
      if (container.isFrozen) container.after(0, send);
      else send();
    });
  }

  #send(container: Container, asked: Exchange, resolve: (answer: unknown) => void, reject: (error: unknown) => void): void {
    const { running } = container;
    if (!running) throw new Error(`${container.name} calls ${asked.operation} while nothing runs in it`);
    const { target, operation, input, attempt } = asked;
    const { functionName } = container.bundle;
    const index = running.calls++;
    const call: IoCall = {
      functionName,
      container: container.number,
      invocation: running.number,
      index,
      attempt,
      target,
      operation,
      input,
    };
    const verdict = this.judge(call);
    this.#note(`${container.name} ${running.number}.${index} ${target} ${operation}`, { verdict, input: asked.told ?? input });
    const settle = { resolve, reject };
    if (verdict.do === 'dieBefore') running.die();
    else if (verdict.do === 'freeze') {
      container.freeze();
      this.#scheduler.after(verdict.ms * 1_000, () => container.isGone || container.thaw());
      container.after(0, () => this.#transport(container, asked, { do: 'pass' }, call, settle));
    } else this.#transport(container, asked, verdict, call, settle);
  }

  #transport(container: Container, asked: Exchange, verdict: Verdict, call: IoCall, settle: Settle): void {
    const { line } = asked;
    const waiter = waiterOf(asked, settle);
    if (waiter.isSettled) return;
    const sentUs = this.#scheduler.nowUs;
    const timeoutUs = asked.timeoutMs * 1_000;
    const isLate = () => this.#scheduler.nowUs > sentUs + timeoutUs;
    waiter.timer = container.after(timeoutUs, () => waiter.fail(asked.errorOf('timeout')));
    /** The way back into the container, in the connection's order. */
    const back = (extraUs: number, deliver: () => void) => {
      const atUs = Math.max(this.#scheduler.nowUs + this.wayUs() + extraUs, (line?.answersUs ?? 0) + 1);
      if (line) line.answersUs = atUs;
      // A container that was frozen looks at its timers before it looks at its sockets.
      container.after(atUs - this.#scheduler.nowUs, () => (isLate() ? waiter.fail(asked.errorOf('timeout')) : deliver()));
    };
    const breakDown = () => {
      for (const fail of line ? [...line.waiting] : [waiter.fail]) fail(asked.errorOf('reset'));
    };

    if (verdict.do === 'fail') {
      if (verdict.error !== 'timeout') back(0, () => (verdict.error === 'reset' ? breakDown() : waiter.fail(asked.errorOf(verdict.error))));
      return;
    }
    const delayUs = verdict.do === 'delay' ? verdict.ms * 1_000 : 0;
    const arrivesUs = Math.max(sentUs + this.wayUs() + delayUs, (line?.arrivesUs ?? 0) + 1);
    if (line) line.arrivesUs = arrivesUs;
    // The request is on its way: it arrives whatever becomes of the container.
    this.#scheduler.after(
      arrivesUs - sentUs,
      () => {
        const answer = this.#apply(container, asked, call);
        if (verdict.do === 'dieAfter') {
          if (container.running?.number === call.invocation) container.running.die();
          return;
        }
        if (verdict.do === 'loseReply') {
          if (verdict.error === 'reset') back(0, () => breakDown());
          return;
        }
        const extraMs = 'value' in answer ? (asked.extraMs?.(answer.value) ?? 0) : 0;
        back(extraMs * 1_000, () => ('value' in answer ? waiter.succeed(answer.value) : waiter.fail(answer.error)));
      },
      { wakes: verdict.do === 'dieAfter' },
    );
  }

  #apply(
    container: Container,
    { apply, isAnswer, operation }: Exchange,
    { invocation, index }: IoCall,
  ): { value: unknown } | { error: unknown } {
    try {
      const value = apply();
      this.#note(`${container.name} ${invocation}.${index} done`, value);
      return { value };
    } catch (error) {
      // Not a service's refusal but a mistake in the simulation, or something that it does not know.
      if (!isAnswer(error)) this.#scheduler.fail(error);
      this.#note(`${container.name} ${invocation}.${index} refused`, { operation, error });
      return { error };
    }
  }

  #note(what: string, details: unknown): void {
    this.#trace.step(this.#scheduler.nowUs, what, details);
  }
}

interface Settle {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The one end of an attempt: whichever comes first. */
function waiterOf({ line, signal }: Exchange, { resolve, reject }: Settle) {
  const waiter = {
    isSettled: false,
    timer: undefined as Task | undefined,
    succeed(answer: unknown) {
      if (waiter.end()) resolve(answer);
    },
    fail(error: unknown) {
      if (waiter.end()) reject(error);
    },
    end() {
      if (waiter.isSettled) return false;
      waiter.isSettled = true;
      if (waiter.timer) waiter.timer.isOff = true;
      line?.waiting.delete(waiter.fail);
      signal?.removeEventListener('abort', abort);
      return true;
    },
  };
  const abort = () => waiter.fail(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
  line?.waiting.add(waiter.fail);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort);
  return waiter;
}
