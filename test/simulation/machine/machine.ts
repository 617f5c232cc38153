import { type TableShape, tables } from '../../../functions/shared/tables.ts';
import { dynamoModel } from '../dynamodb/model.ts';
import { type Random, randomOf } from '../random.ts';
import { UnknownFunction } from './bundles.ts';
import { simCapacity } from './capacity.ts';
import { Container } from './container.ts';
import type { Invocation, InvokeOptions, Machine, MachineOptions } from './contract.ts';
import { lambdaEnvironment, simulatedEnvironment } from './environment.ts';
import { NotSimulated } from './globals.ts';
import { httpModule } from './https.ts';
import { Network } from './io.ts';
import { ioredisModule } from './ioredis.ts';
import { loadInto } from './loader.ts';
import { simQueues } from './queues.ts';
import type { HostedRedis } from './redis.ts';
import { Scheduler } from './scheduler.ts';
import { realSdk, type SdkHost, type Services, sdkModules } from './sdk.ts';
import { busService, databaseService, queueService, secretService } from './services.ts';
import { type Tracer, tracer } from './trace.ts';

export type { Random } from '../random.ts';
export { type Bundles, bundleHandlers, UnknownFunction } from './bundles.ts';
export * from './contract.ts';
export { simulatedEnvironment, simulatedQueues } from './environment.ts';
export { NotSimulated } from './globals.ts';
export type { SimMessage, SimQueues } from './queues.ts';
export { type SimRedis, type SimRedisServer, type Snapshot, startRedisServer } from './redis.ts';
export { Stuck, TooManySteps } from './scheduler.ts';
export { secretOf } from './secrets.ts';

/** When virtual time begins. */
const startMsDefault = Date.UTC(2026, 0, 15, 9);
const timeoutMsDefault = 30_000;
/** A cold start's own time. */
const coldMs = { min: 50, max: 400 };

/** A machine that has not begun to run: everything is empty, and virtual time stands at its beginning. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { seed, bundles, indexLagMsMax = 0, lines = false, logLinesMax = 200 } = options;
  const random = randomOf(seed);
  const trace = tracer({ keepsLines: lines, logLinesMax });
  const { startMs = startMsDefault, stepsMax = 5_000_000, wayMs = { min: 0.2, max: 8 } } = options;
  const scheduler = new Scheduler({ startMs, random: random.fork('order'), stepsMax });
  const network = new Network({ scheduler, random: random.fork('network'), trace, wayMs });
  const nowMs = () => scheduler.nowMs;
  const redis = options.redis.begin(() => scheduler.nowUs, random.fork('redis'));
  const database = dynamoModel({ tables, nowMs, random: random.fork('database').next, indexLagMsMax });
  const queues = simQueues(nowMs, random.fork('queues'));
  const bus = busService(nowMs, random.fork('bus'));
  const indexesOf = (table: string) => Object.keys((tables as Readonly<Record<string, TableShape>>)[table]?.indexes ?? {});
  const real = realSdk(bundles.require);
  const capacity = simCapacity(nowMs, real, indexesOf);
  const services = {
    database: databaseService(database, capacity.tableCall),
    queue: queueService(queues, nowMs),
    bus: bus.service,
    secrets: secretService(),
    scheduler: capacity.scheduler,
    lambda: capacity.lambda,
  };
  const fleet = new Fleet({ options, scheduler, network, trace, random, redis, services, real });

  return {
    random: random.fork('main'),
    nowMs,
    database,
    redis,
    queues,
    bus,
    capacity,
    busEntries: bus.entries,
    functionNames: bundles.functionNames,
    invoke: (functionName, event, how) => fleet.invoke(functionName, event, how),
    sleep: (ms) => new Promise((resolve) => scheduler.after(ms * 1_000, resolve)),
    onIo(judge) {
      network.judge = judge;
    },
    run: (main) => scheduler.drive(main),
    trace,
    stop: async () => fleet.stop(),
  };
}

interface FleetOptions {
  readonly options: MachineOptions;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly trace: Tracer;
  readonly random: Random;
  readonly redis: HostedRedis;
  readonly services: Services;
  readonly real: SdkHost['real'];
}

/** All containers. */
class Fleet {
  readonly #given: FleetOptions;
  readonly #random: Random;
  readonly #idle = new Map<string, Container[]>();
  readonly #onBreak = new Map<Container, Set<() => void>>();
  readonly #real: SdkHost['real'];
  #containers = 0;
  #invocations = 0;

  constructor(given: FleetOptions) {
    this.#given = given;
    this.#random = given.random.fork('containers');
    this.#real = given.real;
    given.redis.onBreak(() => {
      for (const listeners of this.#onBreak.values()) for (const listener of listeners) listener();
    });
  }

  async invoke(functionName: string, event: unknown, how: InvokeOptions = {}): Promise<Invocation> {
    const { scheduler, trace, options } = this.#given;
    if (!options.bundles.functionNames.includes(functionName)) throw new UnknownFunction(`there is no function ${functionName}`);
    const { container = 'any', timeoutMs = timeoutMsDefault, skewMs = 0 } = how;
    const number = ++this.#invocations;
    const text = JSON.stringify(event);
    const chosen = this.#take(functionName, container === 'fresh');
    const isCold = chosen.handler === undefined;
    const waitMs = isCold ? coldMs.min + this.#random.next() * (coldMs.max - coldMs.min) : 0;
    if (isCold) await new Promise<void>((resolve) => scheduler.after(waitMs * 1_000, resolve));
    trace.step(scheduler.nowUs, `${chosen.name} ${number} begins`, { event: text, timeoutMs, skewMs });
    const ended = await this.#serve(chosen, { number, text, timeoutMs, skewMs });
    trace.step(scheduler.nowUs, `${chosen.name} ${number} ${ended.outcome}`, ended);
    return ended;
  }

  #take(functionName: string, isFresh: boolean): Container {
    const { scheduler, trace, options } = this.#given;
    const idle = this.#idle.get(functionName) ?? [];
    if (!isFresh && idle.length > 0) {
      const [container] = idle.splice(this.#random.int(idle.length), 1);
      if (container) return container;
    }
    const number = ++this.#containers;
    const given = typeof options.environment === 'function' ? options.environment(functionName) : options.environment;
    return new Container({
      number,
      bundle: options.bundles.of(functionName),
      environment: { ...lambdaEnvironment(functionName), ...simulatedEnvironment, ...given },
      scheduler,
      random: this.#random.fork(`container ${number}`),
      onLog: ({ lastInvocation: invocation }, text) =>
        trace.log({ atMs: scheduler.nowMs, functionName, container: number, invocation, text }),
    });
  }

  #serve(container: Container, asked: { number: number; text: string; timeoutMs: number; skewMs: number }): Promise<Invocation> {
    const { scheduler } = this.#given;
    const { number, text, timeoutMs, skewMs } = asked;
    const deadlineMs = scheduler.nowMs + timeoutMs;
    return new Promise((resolve) => {
      let isOver = false;
      const end = (invocation: Invocation, stays: boolean) => {
        if (isOver) return;
        isOver = true;
        timer.isOff = true;
        if (stays) this.#giveBack(container);
        else this.#drop(container);
        resolve(invocation);
      };
      const timer = scheduler.after(timeoutMs * 1_000, () => end({ outcome: 'timed-out' }, false));
      container.begin({ number, deadlineMs, skewMs, calls: 0, die: () => end({ outcome: 'died' }, false) });
      this.#call(container, text, number, deadlineMs).then(
        (result) => end({ outcome: 'returned', result }, true),
        (error: unknown) => {
          if (error instanceof NotSimulated) scheduler.fail(error);
          end({ outcome: 'threw', error }, container.handler !== undefined);
        },
      );
    });
  }

  async #call(container: Container, text: string, number: number, deadlineMs: number): Promise<unknown> {
    const { scheduler } = this.#given;
    if (!container.handler) this.#load(container);
    const { functionName } = container.bundle;
    const result = await container.handler?.(JSON.parse(text), {
      functionName,
      functionVersion: '$LATEST',
      invokedFunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${functionName}`,
      memoryLimitInMB: '512',
      awsRequestId: `invocation-${number}`,
      logGroupName: `/aws/lambda/${functionName}`,
      logStreamName: container.name,
      callbackWaitsForEmptyEventLoop: false,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - scheduler.nowMs),
    });
    return JSON.parse(JSON.stringify(result ?? null));
  }

  #load(container: Container): void {
    const { network, redis, services, options } = this.#given;
    const { random } = container;
    const onBreak = new Set<() => void>();
    this.#onBreak.set(container, onBreak);
    const { scriptNames } = options.bundles;
    const http = httpModule({ container, network, random: random.fork('http'), real: this.#real }, services);
    loadInto(container, options.bundles, random.fork('code'), {
      ...sdkModules({ container, network, random: random.fork('sdk'), real: this.#real }, services),
      'node:http': http,
      'node:https': http,
      ioredis: ioredisModule({ container, network, redis, scriptNames, onBreak }),
    });
  }

  #giveBack(container: Container): void {
    container.rest();
    const { functionName } = container.bundle;
    this.#idle.set(functionName, [...(this.#idle.get(functionName) ?? []), container]);
  }

  #drop(container: Container): void {
    container.drop();
    this.#onBreak.delete(container);
  }

  stop(): void {
    for (const container of [...this.#onBreak.keys()]) this.#drop(container);
    this.#idle.clear();
  }
}
