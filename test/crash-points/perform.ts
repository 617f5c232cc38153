import type { People, ProviderSecrets } from '../simulation/actors.ts';
import type { Deployment } from '../simulation/deployment.ts';
import type { Finding } from '../simulation/findings.ts';
import type { Told } from '../simulation/history.ts';
import type { IoCall, Machine, Verdict } from '../simulation/machine/contract.ts';
import { startMachine } from '../simulation/machine/machine.ts';
import { secretOf } from '../simulation/machine/secrets.ts';
import type { Plan } from '../simulation/plan.ts';
import { startRouting } from '../simulation/routing.ts';
import type { Kit } from '../simulation/run.ts';
import { settle } from '../simulation/settle.ts';
import { openSale } from '../simulation/setup.ts';
import { StateWatch } from '../simulation/state.ts';
import { saleId, type World, worldOf } from '../simulation/world.ts';
import { type Point, Recorder, type Seen, verdictOf } from './points.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';

/** Something that is not as it must be after a run. */
export type Broken = Pick<Finding, 'what'> & { readonly invariant: Finding['invariant'] | 'the scenario' };

/** What came of a run. */
export interface Performance {
  readonly broken: readonly Broken[];
  /** Every call since the script began. */
  readonly calls: readonly Seen[];
  readonly invoked: ReadonlySet<string>;
  /** The call that the fault has struck; undefined when the run never came to the point. */
  readonly struck: Seen | undefined;
  readonly told: readonly Told[];
  readonly logs: readonly string[];
  readonly hash: string;
  readonly steps: number;
  readonly simulatedMs: number;
}

/** So long after the sale is made the script begins. */
const setupMs = 20_000;
const stepsMax = 1_000_000;
const wayMsMin = 0.2;

const buyers = ['ada', 'bob', 'cleo', 'dan', 'eve'];
const usualPlan: Omit<Plan, 'seed'> = {
  ...{
    activeMs: 60_000,
    outboxMode: 'stream',
    isBusOff: false,
    indexLagMsMax: 0,
    wayMsMax: 8,
    strategy: 'reserve-first',
    holdSeconds: 900,
  },
  items: [{ sku: 'tee', priceMinor: 1_500, units: 12 }],
  balances: Object.fromEntries(buyers.map((buyer) => [buyer, 100_000])),
  ...{ actions: [], faults: [] },
};

/** Plays a scenario to its end, with a fault at this point or with none, until nothing is owed any more; says what is broken. */
export async function perform(
  scenario: Scenario,
  kit: Kit,
  { seed, point }: { readonly seed: number; readonly point?: Point },
): Promise<Performance> {
  const plan: Plan = { ...usualPlan, ...scenario.plan, seed };
  const deployment = kit.deploymentOf(plan.outboxMode);
  const machine = await startMachine({
    ...{ seed, bundles: kit.bundles, redis: kit.redis, indexLagMsMax: plan.indexLagMsMax, stepsMax },
    wayMs: { min: wayMsMin, max: plan.wayMsMax },
    environment: (functionName) => deployment.environments.get(functionName) ?? {},
  });
  const invoked = new Set<string>();
  const counting: Machine = {
    ...machine,
    invoke(functionName, ...rest) {
      invoked.add(functionName);
      return machine.invoke(functionName, ...rest);
    },
  };
  const beganMs = machine.nowMs();
  const holdSecret = secretOf(deployment.environments.get('orders/place')?.HOLD_SECRET ?? '');
  const world = worldOf(plan, counting, deployment, { startMs: beganMs + setupMs, holdSecret });
  const show = new Show(world, scenario, point);
  try {
    machine.onIo((call) => show.judge(call));
    await machine.run(() => show.run(providerSecrets(deployment)));
  } catch (error) {
    world.findings.add('answers', `the run ended with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const performance: Performance = {
    ...{ broken: show.broken, calls: show.recorder.calls, invoked, struck: show.struck, told: world.history.told },
    ...{ hash: machine.trace.hash(), steps: machine.trace.steps, simulatedMs: machine.nowMs() - beganMs },
    logs: machine.trace.logs.map(({ atMs, functionName, text }) => `${atMs} ${functionName} ${text}`),
  };
  await machine.stop();
  return performance;
}

const providerSecrets = ({ environments }: Deployment): ProviderSecrets => ({
  right: secretOf(environments.get('payments/webhook')?.PAYMENT_WEBHOOK_SECRETS ?? ''),
  wrong: secretOf('somebody else'),
});

const writing = new Set(['TransactWrite', 'Put', 'Update', 'Delete']);

/** One performance while it lasts. */
class Show {
  readonly recorder = new Recorder();
  struck: Seen | undefined;
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #point: Point | undefined;
  readonly #watch: StateWatch;
  #stage: Stage | undefined;
  #missing: string[] = [];
  #hasPlayed = false;

  constructor(world: World, scenario: Scenario, point: Point | undefined) {
    this.#world = world;
    this.#scenario = scenario;
    this.#point = point;
    this.#watch = new StateWatch(world.machine.database, world.findings, saleId);
  }

  get broken(): readonly Broken[] {
    const missing = [...(this.#stage?.broken ?? []), ...this.#missing];
    return [...this.#world.findings.list, ...missing.map((what) => ({ invariant: 'the scenario' as const, what }))];
  }

  judge(call: IoCall): Verdict {
    const seen = this.recorder.see(call, this.#isPoint(call));
    // Until the point everything is as in the run without faults, which was looked at already.
    const isWatched = this.#point === undefined || this.struck !== undefined;
    if (isWatched && call.target === 'dynamodb' && writing.has(call.operation)) this.#watch.look();
    const staged = this.#stage?.stagedFor(call);
    if (this.#point && isSame(this.#point, seen)) {
      this.struck = seen;
      this.#world.history.tell(`${this.#point.mode} at ${seen.functionName}, call ${seen.index}: ${seen.label}`);
      return verdictOf(this.#point.mode);
    }
    return staged ?? { do: 'pass' };
  }

  /** What the checker itself asks at the end must be answered truly, so nothing strikes there. */
  #isPoint({ functionName }: IoCall): boolean {
    const isCheckers = this.#hasPlayed && /^(operations\/audit|reconciliation\/reconciliations)$/.test(functionName);
    return this.#stage !== undefined && !isCheckers;
  }

  async run(secrets: ProviderSecrets): Promise<void> {
    const world = this.#world;
    if (!this.#scenario.opensItself) await openSale(world);
    await world.machine.sleep(Math.max(0, -world.elapsedMs()));
    const routing = startRouting(world);
    const people: People = { world, routing, placed: new Map(), payments: new Map() };
    const stage = new Stage({ people, secrets });
    this.#stage = stage;
    await this.#scenario.play(stage);
    world.history.tell('the script is at its end');
    this.#hasPlayed = true;
    if (stage.broken.length === 0) await settle(people, routing, 'after everything');
    this.#watch.look();
    await routing.stop();
    this.#missing = [...this.#scenario.broken({ rows: stage.rows, redis: stage.redis, stage })];
  }
}

const isSame = (point: Point, { at, functionName, label, index }: Seen): boolean =>
  point.at === at && point.functionName === functionName && point.label === label && point.index === index;
