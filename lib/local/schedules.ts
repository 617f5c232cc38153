import * as z from 'zod';
import type { Assembly } from './assembly.ts';
import { type JsonServer, ServiceError } from './aws-json.ts';
import { type RestAction, type RestCall, serveRest } from './aws-rest.ts';
import type { HostedFunction } from './containers.ts';
import { type Kept, nothingKept } from './data-directory.ts';
import { account, region } from './intrinsics.ts';

const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/;

/** A one-time schedule as its maker says it. What it says of retries is kept: who is called here either answers or is called again at a rate. */
const Wanted = z.strictObject({
  GroupName: z.string().default('default'),
  Description: z.string().optional(),
  ScheduleExpression: z.string().regex(at),
  ScheduleExpressionTimezone: z.literal('UTC').default('UTC'),
  FlexibleTimeWindow: z.strictObject({ Mode: z.literal('OFF') }),
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  ClientToken: z.string().optional(),
  Target: z.strictObject({ Arn: z.string(), RoleArn: z.string(), Input: z.string().default('{}'), RetryPolicy: z.unknown().optional() }),
});
const Schedule = Wanted.extend({ Name: z.string().regex(/^[0-9a-zA-Z-_.]{1,64}$/), hasFired: z.boolean() });
export type OneTimeSchedule = z.infer<typeof Schedule>;

export interface OneTimeSchedules extends JsonServer {
  /** Those that there are, also those that have done their work and stay. */
  readonly all: readonly OneTimeSchedule[];
  /** From now on those that are due call; before it, who is called may not be there. */
  begin(): void;
}

export interface SchedulesOptions {
  readonly functionOf: (arn: string, place: string) => Pick<HostedFunction, 'invoke'>;
  readonly nowMs: () => number;
  readonly onLog: (line: string) => void;
  readonly kept?: Kept;
  /** How often it is looked whether one is due. */
  readonly lookMs?: number;
}

const keyOf = (group: string, name: string) => `${group}/${name}`;
const momentOf = ({ ScheduleExpression }: Pick<OneTimeSchedule, 'ScheduleExpression'>) =>
  Date.parse(`${at.exec(ScheduleExpression)?.[1]}Z`);

/**
 * EventBridge Scheduler's calls for one-time schedules in the template's groups, each of which invokes its function at its time, asynchronously and
 * once. AWS' keeps the minute; this one the moment it looks.
 */
export async function startSchedules(
  { scheduleGroups }: Pick<Assembly, 'scheduleGroups'>,
  options: SchedulesOptions,
): Promise<OneTimeSchedules> {
  const { functionOf, nowMs, onLog, kept = nothingKept, lookMs = 500 } = options;
  const groups = new Set(['default', ...scheduleGroups.map(({ name }) => name)]);
  const earlier = z.array(Schedule).safeParse(await kept.read()).data ?? [];
  const schedules = new Map(earlier.map((each) => [keyOf(each.GroupName, each.Name), each]));
  let writing = Promise.resolve();
  const keep = () => {
    writing = writing.then(() => kept.write([...schedules.values()]));
    return writing;
  };

  const wantedIn = ({ path: [Name], body }: RestCall): OneTimeSchedule => {
    const wanted = Schedule.safeParse({ ...body, Name, hasFired: false });
    if (!wanted.success) throw new ServiceError('ValidationException', z.prettifyError(wanted.error));
    if (!groups.has(wanted.data.GroupName)) throw notFound(`Schedule group ${wanted.data.GroupName}`);
    if (momentOf(wanted.data) <= nowMs()) throw new ServiceError('ValidationException', `${wanted.data.ScheduleExpression} is past.`);
    return wanted.data;
  };
  const put = async (wanted: OneTimeSchedule) => {
    schedules.set(keyOf(wanted.GroupName, wanted.Name), wanted);
    await keep();
    return { status: 200, body: { ScheduleArn: arnOf(wanted) } };
  };
  const keyIn = ({ path: [name = ''], query }: RestCall): string => {
    const key = keyOf(query.get('groupName') ?? 'default', name);
    if (!schedules.has(key)) throw notFound(`Schedule ${name}`);
    return key;
  };
  const byName = /^\/schedules\/([^/]+)$/;
  const actions: RestAction[] = [
    {
      // CreateSchedule
      method: 'POST',
      path: byName,
      async run(call) {
        const wanted = wantedIn(call);
        const known = schedules.get(keyOf(wanted.GroupName, wanted.Name));
        const isRepeat = known?.ClientToken !== undefined && known.ClientToken === wanted.ClientToken;
        if (known && !isRepeat) throw new ServiceError('ConflictException', `Schedule ${wanted.Name} already exists.`);
        return put(wanted);
      },
    },
    {
      // UpdateSchedule
      method: 'PUT',
      path: byName,
      async run(call) {
        const wanted = wantedIn(call);
        if (!schedules.has(keyOf(wanted.GroupName, wanted.Name))) throw notFound(`Schedule ${wanted.Name}`);
        return put(wanted);
      },
    },
    {
      // GetSchedule
      method: 'GET',
      path: byName,
      run: async (call) => ({ status: 200, body: shown(schedules.get(keyIn(call))) }),
    },
    {
      // DeleteSchedule
      method: 'DELETE',
      path: byName,
      async run(call) {
        schedules.delete(keyIn(call));
        await keep();
        return { status: 200, body: {} };
      },
    },
    {
      // ListSchedules
      method: 'GET',
      path: /^\/schedules$/,
      async run({ query }) {
        const group = query.get('ScheduleGroup');
        const found = [...schedules.values()].filter(({ GroupName }) => group === null || GroupName === group);
        return { status: 200, body: { Schedules: found.map(shown) } };
      },
    },
  ];

  function fireDue(): void {
    for (const [key, schedule] of schedules) {
      if (schedule.hasFired || schedule.State === 'DISABLED' || momentOf(schedule) > nowMs()) continue;
      if (schedule.ActionAfterCompletion === 'DELETE') schedules.delete(key);
      else schedules.set(key, { ...schedule, hasFired: true });
      void keep();
      onLog(`the schedule ${schedule.Description ?? schedule.Name} is due`);
      call(schedule).catch((error: unknown) => onLog(`${schedule.Name}: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  const call = async ({ Name, Target }: OneTimeSchedule) => functionOf(Target.Arn, Name).invoke(JSON.parse(Target.Input));

  const server = await serveRest(actions);
  let looking: NodeJS.Timeout | undefined;
  return {
    url: server.url,
    get all() {
      return [...schedules.values()];
    },
    begin() {
      looking ??= setInterval(fireDue, lookMs);
    },
    async stop() {
      clearInterval(looking);
      await server.stop();
      await writing;
    },
  };
}

const notFound = (what: string) => new ServiceError('ResourceNotFoundException', `${what} does not exist.`);
const arnOf = ({ GroupName, Name }: OneTimeSchedule) => `arn:aws:scheduler:${region}:${account}:schedule/${GroupName}/${Name}`;

function shown(schedule: OneTimeSchedule | undefined) {
  if (!schedule) return {};
  const { hasFired: _f, ClientToken: _t, ...said } = schedule;
  return { ...said, Arn: arnOf(schedule) };
}
