import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringToLevel } from '../../functions/capacity/level.ts';
import { planSale } from '../../functions/capacity/plan.ts';
import { type CapacityServices, startCapacityServices } from '../support/capacity.ts';
import { aSale, CapacityWorld, minuteMs, opensAtMs } from '../unit/capacity/capacity.world.ts';
import { type Properties, type Resource, roleOf, type Synthesised, statementsOf, synthesised, target } from './synthesised.ts';

let stacks: Synthesised;
let services: CapacityServices;
let world: CapacityWorld;
beforeAll(async () => {
  stacks = synthesised();
  world = new CapacityWorld();
  services = await startCapacityServices({ nowMs: () => world.nowMs });
});
afterAll(async () => {
  await services?.stop();
  stacks?.remove();
});

const functionAt = (path: string): Resource => {
  const found = stacks.of('AWS::Lambda::Function').find((lambda) => lambda.path === `${path}/Function`);
  if (!found) throw new Error(`no function ${path}`);
  return found;
};
const level = () => functionAt('Capacity/Level/Level');
const plan = () => functionAt('Capacity/CapacityPlan/Consumer');
const reserve = () => functionAt('Orders/Reserve');
const rightsOf = (lambda: Resource) => statementsOf(roleOf(lambda, stacks), stacks).filter(({ effect }) => effect === 'Allow');
/** What every function and every consumer may do, and what is an item's and not a table's. */
const isUsual = (action: string) => /^(logs|xray|sqs):|^dynamodb:\w+Item$|^dynamodb:Scan$/.test(action);

/** Every call that plan and level make, in the words of rights. */
async function callsMade(): Promise<Record<'plan' | 'level', string[]>> {
  const made = { plan: new Set<string>(), level: new Set<string>() };
  let at: keyof typeof made = 'plan';
  type Next = (args: object) => Promise<object>;
  for (const [service, client] of Object.entries(services.clients)) {
    const note =
      (next: Next, { commandName }: { commandName?: string }): Next =>
      (args) => {
        made[at].add(`${service}:${String(commandName).replace(/Command$/, '')}`);
        return next(args);
      };
    // Of three clients at once the compiler cannot say what their middleware is.
    (client as unknown as SchedulerClient).middlewareStack.add(note as never, { step: 'initialize' });
  }
  const ports = {
    plan: { ...world.planPorts(), schedules: services.adapters.schedules },
    level: { ...world.levelPorts(), ...services.adapters },
  };
  world.nowMs = opensAtMs - 3 * 86_400_000;
  for (const version of [1, 2]) {
    world.sales.set('drop', aSale('drop', { version }));
    await planSale('drop', ports.plan);
  }
  world.sales.set('drop', aSale('drop', { control: 'closed', version: 3 }));
  await planSale('drop', ports.plan);
  at = 'level';
  world.nowMs = opensAtMs - minuteMs;
  for (const control of ['open', 'closed'] as const) {
    world.sales.set('drop', aSale('drop', { control }));
    await bringToLevel(ports.level);
  }
  return { plan: [...made.plan].sort(), level: [...made.level].sort() };
}

describe('capacity', () => {
  it('costs nothing until somebody asks for it: both wants are 0, and every bound is a parameter', () => {
    const parameters = stacks.application.findParameters('*');
    const named = Object.entries<Properties>(parameters).filter(([name]) => name.startsWith('Prewarm'));
    expect(Object.fromEntries(named.map(([name, { Default }]) => [name, Default]))).toEqual({
      PrewarmConcurrency: 0,
      PrewarmConcurrencyMax: 500,
      PrewarmGraceMinutes: 5,
      PrewarmHoursMax: 6,
      PrewarmLeadMinutes: 15,
      PrewarmWriteUnits: 0,
      PrewarmWriteUnitsMax: 40_000,
    });
    const page = readFileSync('docs/capacity.md', 'utf8');
    for (const [name, { Default }] of named) expect(page).toContain(`| \`${name}\` | ${Default} |`);
    for (const [name, { Type, MinValue, Description }] of named) {
      expect([Type, MinValue >= 0, Description.length > 30], name).toEqual(['Number', true, true]);
    }
    // What is warm when it is made would be paid for at once.
    expect(JSON.stringify(stacks.of('AWS::DynamoDB::Table'))).not.toContain('WarmThroughput');
    for (const { properties } of [...stacks.of('AWS::Lambda::Alias'), ...stacks.of('AWS::Lambda::Version')]) {
      expect(Object.keys(properties)).not.toContain('ProvisionedConcurrencyConfig');
    }
  });

  it('lets both functions do what they call for and nothing else', async () => {
    const made = await callsMade();
    const allowed = (lambda: Resource) =>
      rightsOf(lambda)
        .flatMap(({ actions }) => actions.filter((action) => !isUsual(action)))
        .sort();
    expect(allowed(level())).toEqual(made.level);
    // The invocation is the handler's own, and the role is handed on with each schedule.
    expect(allowed(plan())).toEqual([...made.plan, 'iam:PassRole', 'lambda:InvokeFunction'].sort());
  });

  it('is raised of the alias that the gateway calls, and of the tables that orders are written to', () => {
    const [alias] = stacks.of('AWS::Lambda::Alias');
    expect(target(alias?.properties.FunctionName)).toBe(reserve().id);
    const called = stacks.of('AWS::ApiGatewayV2::Integration').map(({ properties }) => target(properties.IntegrationUri));
    expect(called).toContain(alias?.id);
    expect(called).not.toContain(reserve().id);
    const resources = (action: string) =>
      rightsOf(level())
        .find(({ actions }) => actions.includes(action))
        ?.resources.map(target);
    expect(resources('lambda:PutProvisionedConcurrencyConfig')).toEqual([alias?.id]);
    const written = new Set(['orders', 'units', 'allowances', 'outbox'].map((name) => `Tables/${name}`));
    const tables = stacks.of('AWS::DynamoDB::Table').filter(({ id }) => resources('dynamodb:UpdateTable')?.includes(id));
    expect(new Set(tables.map(({ path }) => path))).toEqual(written);
  });

  it('is scheduled in a group of its own, by a role that invokes the level alone and is handed to nobody but the scheduler', () => {
    const [group] = stacks.of('AWS::Scheduler::ScheduleGroup');
    const schedules = rightsOf(plan()).find(({ actions }) => actions.includes('scheduler:CreateSchedule'));
    expect(schedules?.resources.map((each) => each['Fn::Join'][1].slice(-2))).toEqual([[{ Ref: group?.id }, '/*']]);
    const { SCHEDULE_GROUP, SCHEDULE_ROLE_ARN, CAPACITY_FUNCTION_ARN } = plan().properties.Environment.Variables;
    expect([target(SCHEDULE_GROUP), target(CAPACITY_FUNCTION_ARN)]).toEqual([group?.id, level().id]);
    const role = stacks.of('AWS::IAM::Role').find(({ id }) => id === target(SCHEDULE_ROLE_ARN));
    if (!role) throw new Error('no role for schedules');
    expect(statementsOf(role, stacks)).toMatchObject([
      { actions: ['lambda:InvokeFunction'], resources: [{ 'Fn::GetAtt': [level().id, 'Arn'] }] },
    ]);
    const policies = JSON.stringify(stacks.of('AWS::IAM::Policy').map(({ properties }) => properties));
    expect(policies).toContain('{"StringEquals":{"iam:PassedToService":"scheduler.amazonaws.com"}}');
  });

  it('is looked at every five minutes whatever was lost, sooner than the shortest lead, and is missed when it is not', () => {
    const schedule = stacks
      .of('AWS::Scheduler::Schedule')
      .find(({ properties }) => JSON.parse(properties.Target.Input).schedule === 'capacity');
    expect(schedule?.properties).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      Target: { Arn: { 'Fn::GetAtt': [level().id, 'Arn'] } },
    });
    expect(schedule?.properties.State).toBeUndefined();
    expect(stacks.application.toJSON().Parameters.PrewarmLeadMinutes.MinValue).toBeGreaterThan(5);
    const absent = stacks.of('AWS::CloudWatch::Alarm').find(({ path }) => path === 'Capacity/Level/Absent');
    expect(absent?.properties).toMatchObject({ TreatMissingData: 'breaching', ComparisonOperator: 'LessThanThreshold' });
  });

  it('leaves the hot path as lean as it was: its code has none of these clients', () => {
    const code = readFileSync(join(stacks.codeOf(reserve()), 'index.cjs'), 'utf8');
    for (const word of ['ProvisionedConcurrency', 'CreateSchedule', 'WarmThroughputSpecification']) expect(code, word).not.toContain(word);
    expect(readFileSync(join(stacks.codeOf(level()), 'index.cjs'), 'utf8')).toContain('ProvisionedConcurrency');
  });
});
