import { letPeopleAct, type People, type ProviderSecrets } from './actors.ts';
import { type Deployment, synthesiseDeployment } from './deployment.ts';
import { drain, repeatAll } from './drain.ts';
import type { Finding } from './findings.ts';
import type { Told } from './history.ts';
import { type Bundles, bundleHandlers } from './machine/bundles.ts';
import type { IoCall, Machine } from './machine/contract.ts';
import { startMachine } from './machine/machine.ts';
import { type SimRedisServer, startRedisServer } from './machine/redis.ts';
import { secretOf } from './machine/secrets.ts';
import type { Plan } from './plan.ts';
import type { Quiet } from './quiet.ts';
import { troubleRedis } from './redis-trouble.ts';
import { type Routing, startRouting } from './routing.ts';
import { balanceOf, rowsOf } from './rows.ts';
import { settle } from './settle.ts';
import { openSale } from './setup.ts';
import { StateWatch } from './state.ts';
import { saleId, type World, worldOf } from './world.ts';

/** What all runs of a process share: made once, and as good as new for each. */
export interface Kit {
  readonly bundles: Bundles;
  readonly redis: SimRedisServer;
  readonly deploymentOf: (outboxMode: Plan['outboxMode']) => Deployment;
}

/** `root`: the tree whose functions run; this project's when left out. */
export function makeKit(root?: string): Kit {
  const deployments = new Map<Plan['outboxMode'], Deployment>();
  return {
    bundles: bundleHandlers(root),
    redis: startRedisServer(),
    deploymentOf(outboxMode) {
      const known = deployments.get(outboxMode) ?? synthesiseDeployment(outboxMode);
      deployments.set(outboxMode, known);
      return known;
    },
  };
}

/** What came of a run. */
export interface Outcome {
  readonly plan: Plan;
  readonly hash: string;
  readonly findings: readonly Finding[];
  readonly told: readonly Told[];
  readonly steps: number;
  /** How often all that is stored was looked at. */
  readonly looks: number;
  readonly simulatedMs: number;
  readonly requests: number;
  readonly orders: number;
  readonly unitsSold: number;
  readonly stock: number;
  /** How often units came from one shard of the sale to another. */
  readonly runsMoved: number;
  /** What the seller has by the ledger, less what fulfilled orders are worth. */
  readonly ledgerDifferenceMinor: number;
  /** How often each row of the fault table happened; the first is row 1. */
  readonly rows: readonly number[];
  /** Everything as it was at the end, where it came to rest. */
  readonly quiet?: Quiet;
  readonly trace: readonly string[];
  readonly logs: readonly string[];
}

export interface RunOptions {
  /** Keeps a line for each step of the scheduler. */
  readonly lines?: boolean;
}

/** So long before people begin, the sale is made. */
const setupMs = 20_000;
const stepsMax = 3_000_000;
const wayMsMin = 0.2;

/** Runs a plan from its beginning until nothing is owed any more, and says what was broken. The same plan gives the same hash. */
export async function runPlan(plan: Plan, kit: Kit, { lines = false }: RunOptions = {}): Promise<Outcome> {
  const deployment = kit.deploymentOf(plan.outboxMode);
  const machine = await startMachine({
    ...{ seed: plan.seed, bundles: kit.bundles, redis: kit.redis, indexLagMsMax: plan.indexLagMsMax, stepsMax, lines },
    wayMs: { min: wayMsMin, max: plan.wayMsMax },
    environment: (functionName) => deployment.environments.get(functionName) ?? {},
  });
  const beganMs = machine.nowMs();
  const holdSecret = secretOf(deployment.environments.get('orders/place')?.HOLD_SECRET ?? '');
  const world = worldOf(plan, machine, deployment, { startMs: beganMs + setupMs, holdSecret });
  const watch = new StateWatch(machine.database, world.findings, saleId);
  const moved = { runs: 0 };
  let quiet: Quiet | undefined;
  try {
    machine.onIo(judgeOf(world, watch, moved));
    await machine.run(async () => {
      quiet = await live(world, watch);
    });
  } catch (error) {
    world.findings.add('answers', `the run ended with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const outcome = { ...outcomeOf(world, watch, beganMs), runsMoved: moved.runs, ...(quiet ? { quiet } : {}) };
  await machine.stop();
  return outcome;
}

const writesPerLook = 1;
const writing = new Set(['TransactWrite', 'Put', 'Update', 'Delete']);

/** Whatever is called goes through here: races are noticed, what is stored is looked at, and faults strike. */
function judgeOf(world: World, watch: StateWatch, moved: { runs: number }): Parameters<Machine['onIo']>[0] {
  let writes = 0;
  return (call: IoCall) => {
    world.races.sees(call);
    if (call.operation === 'stock.shard-settle') moved.runs++;
    if (call.target === 'dynamodb' && writing.has(call.operation) && ++writes % writesPerLook === 0) watch.look();
    return world.faults.judge(call);
  };
}

async function live(world: World, watch: StateWatch): Promise<Quiet | undefined> {
  const { machine, deployment, faults } = world;
  await openSale(world);
  await machine.sleep(Math.max(0, -world.elapsedMs()));
  const routing = startRouting(world);
  const people: People = { world, routing, placed: new Map(), payments: new Map() };
  const secrets = providerSecrets(deployment);
  const redis = troubleRedis(world);
  await letPeopleAct(people, secrets);
  await redis.done;
  faults.stop();
  world.history.tell('people are done, and nothing fails any more');
  const quiet = await rest(people, routing, watch);
  await routing.stop();
  countRefundsOfBoth(world);
  return quiet;
}

/** Until nothing is owed, once more after every key has come again, and again after whatever was left has been bought. -> all as it is then */
async function rest(people: People, routing: Routing, watch: StateWatch): Promise<Quiet | undefined> {
  const { findings } = people.world;
  const first = await settle(people, routing, 'after everything');
  watch.look();
  if (!findings.isEmpty) return undefined;
  const hasNew = await repeatAll(people);
  if (!findings.isEmpty) return undefined;
  const quiet = hasNew ? await settle(people, routing, 'after every key came again') : first;
  watch.look();
  if (!findings.isEmpty) return undefined;
  const hasDrained = await drain(people);
  if (!hasDrained || !findings.isEmpty) return quiet;
  const drained = await settle(people, routing, 'after all was bought');
  watch.look();
  return drained;
}

const providerSecrets = ({ environments }: Deployment): ProviderSecrets => ({
  right: secretOf(environments.get('payments/webhook')?.PAYMENT_WEBHOOK_SECRETS ?? ''),
  wrong: secretOf('somebody else'),
});

/** Row 31: a wrong payment went back, the right one came, and an operator gave that back too. */
function countRefundsOfBoth({ machine, rows }: World): void {
  const { orders, movements } = rowsOf(machine.database, saleId);
  for (const { orderId, status, payment } of orders) {
    const wentBack = movements.some(
      (movement) => movement.orderId === orderId && movement.kind === 'return' && movement.paymentId !== payment.paymentId,
    );
    if (status === 'REFUNDED' && payment.paymentId !== undefined && wentBack) rows.hit(31);
  }
}

function outcomeOf({ plan, machine, findings, history, rows }: World, watch: StateWatch, beganMs: number): Omit<Outcome, 'runsMoved'> {
  const stored = rowsOf(machine.database, saleId);
  const fulfilledMinor = stored.orders.filter(({ status }) => status === 'FULFILLED').reduce((sum, { totalMinor }) => sum + totalMinor, 0);
  return {
    ...{ plan, hash: machine.trace.hash(), findings: findings.list, told: history.told, steps: machine.trace.steps, looks: watch.looks },
    simulatedMs: machine.nowMs() - beganMs,
    requests: history.exchanges.length,
    orders: stored.orders.length,
    unitsSold: stored.units.filter(({ state }) => state === 'SOLD').length,
    stock: (stored.sale?.items ?? []).reduce((sum, { total }) => sum + total, 0),
    ledgerDifferenceMinor: balanceOf(`seller:${saleId}`, stored.movements) - fulfilledMinor,
    rows: rows.list,
    trace: machine.trace.lines ?? [],
    logs: machine.trace.logs.map(({ atMs, functionName, text }) => `${atMs} ${functionName} ${text}`),
  };
}
