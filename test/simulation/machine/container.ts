import type { Random } from '../random.ts';
import type { Bundle } from './bundles.ts';
import type { Scheduler, Task } from './scheduler.ts';

/** What is under way in a container, and by when it has to be done. */
export interface Running {
  readonly number: number;
  readonly deadlineMs: number;
  readonly skewMs: number;
  /** How many calls to the outside it has made. */
  calls: number;
  /** The container is gone. */
  readonly die: () => void;
}

interface ContainerOptions {
  readonly number: number;
  readonly bundle: Bundle;
  readonly environment: Readonly<Record<string, string>>;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly onLog: (container: Container, text: string) => void;
}

/**
 * One container of a function: its module's state, its clock, and its place in time. While it has nothing to do it is frozen, as Lambda does it: what
 * arrives then, and timers that end then, wait until it is asked again. When it is gone nothing reaches it any more.
 */
export class Container {
  readonly number: number;
  readonly bundle: Bundle;
  readonly environment: Readonly<Record<string, string>>;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #onLog: ContainerOptions['onLog'];
  readonly #startUs: number;
  /** What waits for it to be thawed. */
  #waiting: Task[] = [];
  #isFrozen = true;
  #isGone = false;
  #skewMs = 0;
  running: Running | undefined;
  /** Its number of invocations, and its last one's: what is left of that one calls in its name. */
  lastInvocation = 0;
  handler: ((event: unknown, context: object) => unknown) | undefined;

  constructor({ number, bundle, environment, scheduler, random, onLog }: ContainerOptions) {
    this.number = number;
    this.bundle = bundle;
    this.environment = environment;
    this.random = random;
    this.#scheduler = scheduler;
    this.#onLog = onLog;
    this.#startUs = scheduler.nowUs;
  }

  get name(): string {
    return `${this.bundle.functionName}#${this.number}`;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** By its own clock. */
  get nowMs(): number {
    return this.#scheduler.nowMs + this.#skewMs;
  }

  /** By the machine's clock. */
  get nowUs(): number {
    return this.#scheduler.nowUs;
  }

  /** Since it started: a clock that cannot be set. */
  get uptimeUs(): number {
    return this.#scheduler.nowUs - this.#startUs;
  }

  begin(running: Running): void {
    this.running = running;
    this.lastInvocation = running.number;
    this.#skewMs = running.skewMs;
    this.thaw();
  }

  /** The invocation is over, the container stays. */
  rest(): void {
    this.running = undefined;
    this.#isFrozen = true;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { run } of waiting) this.#scheduler.after(0, run);
  }

  /** It is gone, with all that it was waiting for. */
  drop(): void {
    this.#isGone = true;
    this.#waiting = [];
    this.running = undefined;
  }

  /** Runs inside the container after this time, or as soon as it is not frozen, unless it is gone by then. */
  after(delayUs: number, run: () => void): Task {
    const task = this.#scheduler.after(delayUs, () => {
      if (this.#isGone || task.isOff) return;
      if (this.#isFrozen) this.#waiting.push(task);
      else run();
    });
    return task;
  }

  log(text: string): void {
    if (!this.#isGone) this.#onLog(this, text.replace(/\n$/, ''));
  }
}
