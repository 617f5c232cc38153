import { NotSimulated } from './globals.ts';
import type { RealSdk } from './sdk.ts';
import type { Service } from './services.ts';

/** A one-time schedule, as a function has made it. */
export interface SimSchedule {
  readonly group: string;
  readonly name: string;
  readonly description: string;
  readonly atMs: number;
  readonly functionArn: string;
  readonly input: unknown;
}

/** An invocation that nobody waits for. */
export interface SimInvoke {
  readonly functionArn: string;
  readonly input: unknown;
}

/** What is kept ready, and who is to be called when: schedules, provisioned concurrency, and warm throughput of tables. */
export interface SimCapacity {
  readonly schedules: readonly SimSchedule[];
  /** By function and alias, with a colon between them. */
  readonly provisioned: ReadonlyMap<string, number>;
  /** Write units by table, or table and index with a slash between them: those that were raised. */
  readonly writeUnits: ReadonlyMap<string, number>;
  /** Takes the schedules that are due, which are gone then, and the invocations that were asked for. */
  takeDue(): SimInvoke[];
}

export interface HostedCapacity extends SimCapacity {
  readonly scheduler: Service;
  readonly lambda: Service;
  /** `DescribeTable` and `UpdateTable`; undefined for any other operation of the database. */
  tableCall(operation: string, input: Fields): unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const freshWriteUnits = 4_000;

export function simCapacity(
  nowMs: () => number,
  real: Pick<RealSdk, 'scheduler' | 'lambda'>,
  indexesOf: (table: string) => string[],
): HostedCapacity {
  const schedules = new Map<string, SimSchedule>();
  const invokes: SimInvoke[] = [];
  const provisioned = new Map<string, number>();
  const writeUnits = new Map<string, number>();
  return {
    get schedules() {
      return [...schedules.values()];
    },
    provisioned,
    writeUnits,
    takeDue() {
      const due = [...schedules].filter(([, { atMs }]) => atMs <= nowMs());
      for (const [key] of due) schedules.delete(key);
      return [...invokes.splice(0), ...due.map(([, { functionArn, input }]) => ({ functionArn, input }))];
    },
    scheduler: { target: 'scheduler', apply: schedulerCalls(schedules, nowMs, real.scheduler) },
    lambda: { target: 'lambda', apply: lambdaCalls(provisioned, invokes, real.lambda) },
    tableCall: (operation, input) => tableCalls(writeUnits, indexesOf)[operation]?.(input),
  };
}

function schedulerCalls(schedules: Map<string, SimSchedule>, nowMs: () => number, real: RealSdk['scheduler']): Service['apply'] {
  const $metadata = { httpStatusCode: 400 };
  const keyOf = ({ GroupName, Name }: Fields) => `${GroupName}/${Name}`;
  const put = (input: Fields) => {
    const { Arn, Input } = input.Target as { readonly Arn: string; readonly Input: string };
    const atMs = Date.parse(`${/^at\((.*)\)$/.exec(String(input.ScheduleExpression))?.[1]}Z`);
    if (!(atMs > nowMs())) throw new real.ValidationException({ message: 'The time is past.', Message: 'The time is past.', $metadata });
    const [group, name, description] = [String(input.GroupName), String(input.Name), String(input.Description)];
    schedules.set(keyOf(input), { group, name, description, atMs, functionArn: Arn, input: JSON.parse(Input) });
    return {};
  };
  return (operation, input) => {
    const isThere = schedules.has(keyOf(input));
    const Message = `Schedule ${input.Name}`;
    if (operation === 'CreateSchedule') {
      if (isThere) throw new real.ConflictException({ message: Message, Message, $metadata });
      return put(input);
    }
    if (!isThere) throw new real.ResourceNotFoundException({ message: Message, Message, $metadata });
    if (operation === 'UpdateSchedule') return put(input);
    if (operation !== 'DeleteSchedule') throw new NotSimulated(`${operation} of EventBridge Scheduler is not in the simulation`);
    schedules.delete(keyOf(input));
    return {};
  };
}

function lambdaCalls(provisioned: Map<string, number>, invokes: SimInvoke[], real: RealSdk['lambda']): Service['apply'] {
  const aliasOf = ({ FunctionName, Qualifier }: Fields) => `${FunctionName}:${Qualifier}`;
  const operations: Readonly<Record<string, (input: Fields) => unknown>> = {
    Invoke({ FunctionName, Payload, InvocationType }) {
      if (InvocationType !== 'Event') throw new NotSimulated('an invocation that is waited for is not in the simulation');
      invokes.push({ functionArn: String(FunctionName), input: JSON.parse(String(Payload)) });
      return { StatusCode: 202 };
    },
    PutProvisionedConcurrencyConfig(input) {
      provisioned.set(aliasOf(input), Number(input.ProvisionedConcurrentExecutions));
      return { Status: 'IN_PROGRESS' };
    },
    GetProvisionedConcurrencyConfig(input) {
      const count = provisioned.get(aliasOf(input));
      const message = 'No Provisioned Concurrency Config found for this function';
      if (count === undefined)
        throw new real.ProvisionedConcurrencyConfigNotFoundException({ message, $metadata: { httpStatusCode: 404 } });
      return { RequestedProvisionedConcurrentExecutions: count, Status: 'READY' };
    },
    DeleteProvisionedConcurrencyConfig(input) {
      provisioned.delete(aliasOf(input));
      return {};
    },
  };
  return (operation, input) => {
    const run = operations[operation];
    if (!run) throw new NotSimulated(`${operation} of Lambda is not in the simulation`);
    return run(input);
  };
}

interface Warming {
  readonly WarmThroughput?: { readonly WriteUnitsPerSecond: number };
}

function tableCalls(
  writeUnits: Map<string, number>,
  indexesOf: (table: string) => string[],
): Readonly<Record<string, (input: Fields) => unknown>> {
  const warmth = (part: string) => ({ WarmThroughput: { WriteUnitsPerSecond: writeUnits.get(part) ?? freshWriteUnits, Status: 'ACTIVE' } });
  const raise = (part: string, { WarmThroughput }: Warming) => {
    if (WarmThroughput) writeUnits.set(part, WarmThroughput.WriteUnitsPerSecond);
  };
  return {
    DescribeTable: ({ TableName }) => ({
      Table: {
        TableName,
        TableStatus: 'ACTIVE',
        ...warmth(String(TableName)),
        GlobalSecondaryIndexes: indexesOf(String(TableName)).map((IndexName) => ({ IndexName, ...warmth(`${TableName}/${IndexName}`) })),
      },
    }),
    UpdateTable(input) {
      const { TableName, GlobalSecondaryIndexUpdates = [] } = input as {
        readonly TableName: string;
        readonly GlobalSecondaryIndexUpdates?: readonly { readonly Update: { readonly IndexName: string } & Warming }[];
      };
      raise(TableName, input as Warming);
      for (const { Update } of GlobalSecondaryIndexUpdates) raise(`${TableName}/${Update.IndexName}`, Update);
      return {};
    },
  };
}
