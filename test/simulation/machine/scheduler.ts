import type { Random } from '../random.ts';

/** Something that will happen at a moment, unless it is called off. */
export interface Task {
  readonly atUs: number;
  /** Whether it may lead to more than what it does itself: someone waits for it. */
  readonly wakes: boolean;
  readonly run: () => void;
  readonly tie: number;
  isOff: boolean;
}

/** Nothing is left to happen, and `main` still waits: for something that is not of this machine, or for each other. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** All code of the simulation runs in microtasks; when this comes back, all of it waits. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One clock and one list of what will happen, in the order of time; of what falls on the same microsecond the seed decides which is first. */
export class Scheduler {
  readonly #random: Random;
  readonly #stepsMax: number;
  readonly #heap: Task[] = [];
  #nowUs: number;
  #steps = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor({ startMs, random, stepsMax }: { readonly startMs: number; readonly random: Random; readonly stepsMax: number }) {
    this.#nowUs = startMs * 1_000;
    this.#random = random;
    this.#stepsMax = stepsMax;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  get nowMs(): number {
    return Math.floor(this.#nowUs / 1_000);
  }

  get steps(): number {
    return this.#steps;
  }

  /** `wakes: false` for what only changes the world and lets nobody go on. */
  after(delayUs: number, run: () => void, { wakes = true } = {}): Task {
    const delay = Number.isFinite(delayUs) ? Math.max(0, Math.round(delayUs)) : 0;
    const task: Task = { atUs: this.#nowUs + delay, wakes, run, tie: this.#random.next(), isOff: false };
    this.#push(task);
    return task;
  }

  /** Ends the run with this error: the simulation itself does not know how to go on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Happens until `main` has settled, and gives what it came to. */
  async drive<T>(main: () => Promise<T>): Promise<T> {
    let ended: { readonly value: T } | { readonly error: unknown } | undefined;
    main().then(
      (value) => {
        ended = { value };
      },
      (error: unknown) => {
        ended = { error };
      },
    );
    await settled();
    while (ended === undefined) {
      if (this.#failure) throw this.#failure.error;
      const task = this.#pop();
      if (!task) throw new Stuck('nothing is left to happen, and somebody still waits');
      this.#steps += 1;
      if (this.#steps > this.#stepsMax) throw new TooManySteps(`more than ${this.#stepsMax} steps`);
      this.#nowUs = Math.max(this.#nowUs, task.atUs);
      task.run();
      if (task.wakes) await settled();
    }
    if (this.#failure) throw this.#failure.error;
    if ('error' in ended) throw ended.error;
    return ended.value;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.push(task) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(task, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = task;
  }

  #pop(): Task | undefined {
    for (let task = this.#popAny(); task; task = this.#popAny()) if (!task.isOff) return task;
    return undefined;
  }

  #popAny(): Task | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (!top || !last || top === last) return top;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (!left) break;
      const [child, place] = right && isBefore(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = place;
    }
    heap[at] = last;
    return top;
  }
}

const isBefore = (one: Task, other: Task): boolean => one.atUs < other.atUs || (one.atUs === other.atUs && one.tie < other.tie);
