import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from './assembly.ts';
import { type ContainerHost, type ContainerKind, startContainer } from './container.hosts.ts';
import type { Answer, ContainerData } from './container.messages.ts';
import { UnsupportedTemplate } from './intrinsics.ts';

/** The function threw, its container died, or it ran out of time; `message` says which, with the function's own words. */
export class InvocationFailed extends Error {
  override readonly name = 'InvocationFailed';
}

/** More events wait than may. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

export interface Capacity {
  /** Containers of the function at most. Each is a thread or a process of its own with its own module state. */
  readonly containersMax: number;
  /**
   * Events that one container may have under way. Lambda gives a container one at a time and starts another for the next, a thousand of
   * them if need be; two cores carry a crowd only when a container works on while another event waits for the database.
   */
  readonly eventsMax: number;
}

/** Events that may wait for a container, per function: beyond it callers are refused rather than kept. */
const waitingMax = 20_000;
const startMsMax = 30_000;
const runtimes: readonly string[] = ['nodejs24.x', 'nodejs22.x'];

export interface FunctionOptions {
  readonly spec: FunctionSpec;
  readonly capacity: Capacity;
  /** Threads when left out. */
  readonly containers?: ContainerKind | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly blankTransactionTokens: boolean;
  readonly onLog: (functionName: string, line: string) => void;
}

interface Job {
  readonly id: string;
  readonly event: string;
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Container {
  readonly host: ContainerHost;
  readonly jobs: Map<string, Job>;
  ready: boolean;
  /** A retired container takes no new events and ends with its last. */
  retired: boolean;
}

/** One Lambda function: as many containers as its events need, within its capacity. */
export class HostedFunction {
  readonly name: string;
  readonly arn: string;
  readonly timeoutMs: number;
  readonly #options: FunctionOptions;
  readonly #data: ContainerData;
  readonly #containers = new Set<Container>();
  readonly #waiting: Job[] = [];
  #stopped = false;

  /** Throws `UnsupportedTemplate` for a runtime, handler or code that can't be hosted. */
  constructor(options: FunctionOptions) {
    const { spec } = options;
    this.#options = options;
    this.name = spec.name;
    this.arn = spec.arn;
    this.timeoutMs = spec.properties.Timeout * 1_000;
    this.#data = {
      ...entryOf(spec),
      functionName: spec.name,
      functionArn: spec.arn,
      blankTransactionTokens: options.blankTransactionTokens,
    };
  }

  /** Starts all containers ahead of the first event: a crowd must not wait for one. Rejects when the function can't be loaded. */
  async warm(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.capacity.containersMax - this.#containers.size }, () => this.#start()));
  }

  /** Invokes the function and waits for its result. Rejects with `InvocationFailed`, or `Overloaded` before anything has run. */
  invoke(event: unknown): Promise<unknown> {
    if (this.#stopped) return Promise.reject(new InvocationFailed(`${this.name} is stopped`));
    if (this.#waiting.length >= waitingMax) return Promise.reject(new Overloaded(`${waitingMax} events wait for ${this.name}`));
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      // Waiting counts: whoever called has waited just as long.
      const timer = setTimeout(() => this.#timeOut(id), this.timeoutMs);
      this.#waiting.push({ id, event: JSON.stringify(event), deadlineMs: performance.now() + this.timeoutMs, timer, resolve, reject });
      this.#assign();
    });
  }

  /** Ends every container. What is still under way fails. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const job of this.#waiting.splice(0)) settle(job, new InvocationFailed(`${this.name} is stopped`));
    await Promise.all([...this.#containers].map((container) => container.host.kill()));
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const { eventsMax, containersMax } = this.#options.capacity;
      const inUse = [...this.#containers].filter((container) => !container.retired);
      const open = inUse.filter((container) => container.jobs.size < eventsMax);
      const best = open.sort((one, other) => Number(other.ready) - Number(one.ready) || one.jobs.size - other.jobs.size)[0];
      // Events spread over all containers that may be; until the next one has started, those at hand take them.
      if (inUse.length < containersMax && (!best || best.jobs.size > 0)) this.#start().catch(() => {});
      if (best) this.#give(best);
      else if (inUse.length >= containersMax) return;
    }
  }

  #give(container: Container): void {
    const job = this.#waiting.shift();
    if (!job) return;
    container.jobs.set(job.id, job);
    container.host.send({ id: job.id, event: job.event, remainingMs: job.deadlineMs - performance.now() });
  }

  #start(): Promise<void> {
    const { environment, onLog, containers = 'threads' } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const host = startContainer(containers, {
      data: this.#data,
      environment,
      onLine: (line) => onLog(this.name, line),
      onAnswer: (answer) => {
        if (answer.kind === 'ready') {
          clearTimeout(tooLate);
          container.ready = true;
          resolve();
        } else this.#answer(container, answer);
      },
      onEnd: (cause) => {
        clearTimeout(tooLate);
        reject(new InvocationFailed(`a container of ${this.name} did not start: ${cause}`));
        this.#bury(container, cause);
      },
    });
    const tooLate = setTimeout(() => void host.kill(), startMsMax);
    const container: Container = { host, jobs: new Map(), ready: false, retired: false };
    this.#containers.add(container);
    return promise;
  }

  #answer(container: Container, answer: Exclude<Answer, { kind: 'ready' }>): void {
    const job = container.jobs.get(answer.id);
    // An answer after its deadline: the caller has been told otherwise.
    if (!job) return;
    container.jobs.delete(answer.id);
    if (answer.kind === 'result') settle(job, undefined, JSON.parse(answer.result));
    else settle(job, new InvocationFailed(`${this.name} failed: ${answer.error}`));
    this.#endIfDone(container);
    this.#assign();
  }

  /** A container is gone: what it had under way fails, and the next event gets a fresh one. */
  #bury(container: Container, cause: string): void {
    this.#containers.delete(container);
    if (!this.#stopped && !container.retired) this.#options.onLog(this.name, `a container crashed: ${cause}`);
    for (const job of container.jobs.values()) settle(job, new InvocationFailed(`${this.name} crashed: ${cause}`));
    container.jobs.clear();
    if (!this.#stopped) this.#assign();
  }

  #timeOut(id: string): void {
    const words = `${this.name} timed out after ${this.timeoutMs} ms`;
    const waiting = this.#waiting.findIndex((job) => job.id === id);
    if (waiting >= 0) {
      for (const job of this.#waiting.splice(waiting, 1)) settle(job, new InvocationFailed(words));
      return;
    }
    for (const container of this.#containers) {
      const job = container.jobs.get(id);
      if (!job) continue;
      container.jobs.delete(id);
      settle(job, new InvocationFailed(words));
      this.#options.onLog(this.name, words);
      // Lambda ends a container that ran out of time; here others may be at work in it, so it ends after the last of them.
      container.retired = true;
      this.#endIfDone(container);
    }
  }

  #endIfDone(container: Container): void {
    if (container.retired && container.jobs.size === 0) void container.host.kill();
  }
}

function settle(job: Job, error: Error | undefined, result?: unknown): void {
  clearTimeout(job.timer);
  if (error) job.reject(error);
  else job.resolve(result);
}

function entryOf({
  stack,
  logicalId,
  codeDirectory,
  properties,
}: FunctionSpec): Pick<ContainerData, 'bundle' | 'exportName' | 'memoryMegabytes'> {
  const place = `${stack}/${logicalId}`;
  if (!runtimes.includes(properties.Runtime)) throw new UnsupportedTemplate(`${place}: this runtime does not host ${properties.Runtime}`);
  const [file, exportName] = properties.Handler.split('.');
  const bundle = ['.mjs', '.js', '.cjs'].map((extension) => join(codeDirectory, `${file}${extension}`)).find((path) => existsSync(path));
  if (bundle === undefined || exportName === undefined)
    throw new UnsupportedTemplate(`${place}: no code for the handler ${properties.Handler}`);
  return { bundle, exportName, memoryMegabytes: properties.MemorySize };
}
