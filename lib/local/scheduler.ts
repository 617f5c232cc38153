import * as z from 'zod';
import type { Assembly, Placed } from './assembly.ts';
import type { HostedFunction } from './containers.ts';
import { UnsupportedTemplate } from './intrinsics.ts';

interface Schedule {
  readonly place: string;
  readonly everyMs: number;
  readonly isEnabled: boolean;
  readonly input: unknown;
  readonly target: Pick<HostedFunction, 'invoke'>;
}

export interface Scheduler {
  /** What the schedules are called by their inputs. */
  readonly names: readonly string[];
  /** Starts the schedule of that name now, if there is one and it is enabled, besides its own pace. Does not wait for it. */
  begin(name: string): void;
  /**
   * Runs the schedule whose input says `{"schedule": name}` now, also one that is disabled, and waits for it. `unknown` when there is none.
   * Its input says `onDemand` besides: what goes on until the next run would begin has an end then. Rejects when the run fails.
   */
  runNow(name: string): Promise<'done' | 'unknown'>;
  /** Starts nothing more; runs under way are the containers' to end. */
  stop(): void;
}

const Named = z.looseObject({ schedule: z.string() });
const nameOf = ({ input }: Schedule): string | undefined => Named.safeParse(input).data?.schedule;

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(5 minutes)`, in milliseconds. */
export function rateMs(expression: string, place: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
  if (!(ms > 0)) throw new UnsupportedTemplate(`${place}: this runtime does not know the schedule ${expression}`);
  return ms;
}

/** The template's schedules (EventBridge Scheduler, and rules with a rate), each at its pace from the start on. */
export function startScheduler(
  assembly: Pick<Assembly, 'schedules' | 'rules'>,
  functionOf: (arn: string, place: string) => Pick<HostedFunction, 'invoke'>,
  onLog: (line: string) => void,
): Scheduler {
  const schedules = [...assembly.schedules.map((each) => fromSchedule(each, functionOf)), ...fromRules(assembly.rules, functionOf)];
  const run = ({ place, input, target }: Schedule) =>
    void target.invoke(input).catch((error: unknown) => onLog(`${place}: ${error instanceof Error ? error.message : String(error)}`));
  const enabled = schedules.filter((schedule) => schedule.isEnabled);
  const timers = enabled.map((schedule) => setInterval(() => run(schedule), schedule.everyMs));
  return {
    names: schedules.map(nameOf).filter((name) => name !== undefined),
    begin(name) {
      for (const schedule of enabled) if (nameOf(schedule) === name) run(schedule);
    },
    async runNow(name) {
      const schedule = schedules.find((each) => nameOf(each) === name);
      if (!schedule) return 'unknown';
      await schedule.target.invoke({ ...(schedule.input as object), onDemand: true });
      return 'done';
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

type FunctionOf = (arn: string, place: string) => Pick<HostedFunction, 'invoke'>;

function fromSchedule({ stack, logicalId, properties }: Placed<'AWS::Scheduler::Schedule'>, functionOf: FunctionOf): Schedule {
  const place = `${stack}/${logicalId}`;
  return {
    place,
    everyMs: rateMs(properties.ScheduleExpression, place),
    isEnabled: properties.State === 'ENABLED',
    input: JSON.parse(properties.Target.Input),
    target: functionOf(properties.Target.Arn, place),
  };
}

function fromRules(rules: Assembly['rules'], functionOf: FunctionOf): Schedule[] {
  return rules.flatMap(({ stack, logicalId, properties }) => {
    const { ScheduleExpression, State, Targets } = properties;
    if (ScheduleExpression === undefined) return [];
    const place = `${stack}/${logicalId}`;
    const everyMs = rateMs(ScheduleExpression, place);
    return Targets.map(({ Arn, Input = '{}' }) => ({
      place,
      everyMs,
      isEnabled: State === 'ENABLED',
      input: JSON.parse(Input) as unknown,
      target: functionOf(Arn, place),
    }));
  });
}
