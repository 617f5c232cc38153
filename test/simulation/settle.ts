import { operatorWho, type People, untilAnswered } from './actors.ts';
import { problemOf, type Request, statusOf } from './history.ts';
import { checkQuiet, checkRedis, type Quiet } from './quiet.ts';
import { redisViewsOf } from './redis-view.ts';
import type { Routing } from './routing.ts';
import { rowsOf } from './rows.ts';
import { saleId, type World } from './world.ts';

/** So long may it take until nothing is owed, after everything works again: a message that failed comes back after three minutes, four times. */
const quietMsMax = 45 * 60_000;
const lookMs = 5_000;
/** A reconciliation leaves out what changed a moment ago, and a clock that was two minutes ahead has dated a change that much later. */
const recentMs = 15_000;
const aheadMs = 120_000;
const reconcilingMax = 20;
/** What fails here is no fault's doing, so few attempts are patience enough. */
const calmAttemptsMax = 4;

const restingStatuses = new Set(['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED', 'FULFILLED']);

/** What is still to come, in words; undefined when everything rests. */
function owed({ machine, plan }: World, routing: Routing): string | undefined {
  const { orders } = rowsOf(machine.database, saleId);
  const order = orders.find(({ status, dueAtMs }) => dueAtMs !== undefined || !restingStatuses.has(status));
  if (order) return `${order.orderId} is ${order.status} and ${order.payment.state}, its stock ${order.stock}`;
  const moving = routing.onItsWay();
  if (moving && !plan.isBusOff) return moving;
  const redis = redisViewsOf(machine.redis, saleId, plan.shards);
  if (!redis) return 'Redis has not got the sale';
  const holds = redis.flatMap((view) => view.holds);
  const hold = holds.find(({ state, units }) => (state === 'H' || state === 'K') && units.length > 0);
  if (hold) return `Redis has a ${hold.state === 'K' ? 'cart' : 'hold'} of ${hold.units.length} units (${hold.holdId})`;
  const [suspect] = redis.flatMap(({ suspects }) => [...suspects]);
  if (suspect !== undefined) return `${suspect} is under suspicion`;
  const [lent] = redis.flatMap((view) => view.lent);
  if (lent !== undefined) return `${lent} is on its way between shards`;
  const unpublished = machine.database.items('outbox').find((row) => row.pollShard !== undefined && Number(row.attempts ?? 0) < 10);
  return unpublished && !plan.isBusOff ? 'rows that the poller has to publish' : undefined;
}

/** Waits until nothing is owed, reconciles completely, waits again, and then checks everything: all as it was then, unless it did not come to rest. */
export async function settle(people: People, routing: Routing, when: string): Promise<Quiet | undefined> {
  const { world } = people;
  const { machine, plan } = world;
  const inRedis = () => redisViewsOf(machine.redis, saleId, plan.shards);
  await untilQuiet(world, routing, when);
  if (!world.findings.isEmpty) return undefined;
  // What the reconciler would mend is wrong already.
  if (plan.isReconcilerOff) checkRedis({ rows: rowsOf(machine.database, saleId), redis: inRedis() }, world.findings);
  const wasAhead = world.plan.faults.some(({ kind }) => kind === 'clock-off');
  await world.machine.sleep(recentMs + (wasAhead ? aheadMs : 0));
  await reconcile(world, when);
  await untilQuiet(world, routing, `${when}, reconciled`);
  if (!world.findings.isEmpty) return undefined;
  const quiet: Quiet = {
    rows: rowsOf(machine.database, saleId),
    redis: inRedis(),
    acknowledged: [...world.answers.acknowledged.values()],
    promised: [...world.answers.promised],
    restocks: [...world.answers.restocks.values()],
    isCalledOff: world.answers.isCalledOff,
    firstTotals: new Map(world.plan.items.map(({ sku, units, seats }) => [sku, seats?.length ?? units ?? 0])),
    payments: [...people.payments.values()],
    allEventsHeard: !routing.hasLostEvents,
  };
  checkQuiet(quiet, world.findings);
  await audit(world, when);
  await compareSale(world, when, quiet);
  return quiet;
}

/** Completely, which another run that is under way would keep it from. */
async function reconcile(world: World, when: string): Promise<void> {
  for (let attempt = 1; attempt <= reconcilingMax && world.findings.isEmpty; attempt++) {
    const request = { deed: 'reconcile', method: 'POST', path: '/v1/reconciliations', body: { saleId } };
    const { sales = [] } = ((await ask(world, `${when}, ${attempt}`, request, 200)) ?? {}) as { sales?: readonly { outcome: string }[] };
    if (sales[0]?.outcome === 'compared' || sales[0]?.outcome === 'not-loaded') return;
    await world.machine.sleep(recentMs);
  }
  if (world.findings.isEmpty)
    world.findings.add('4 stock is conserved', `${when}, the sale was not reconciled in ${reconcilingMax} attempts`);
}

async function untilQuiet(world: World, routing: Routing, when: string): Promise<void> {
  const { machine } = world;
  const untilMs = machine.nowMs() + quietMsMax;
  let left = owed(world, routing);
  while (left !== undefined && machine.nowMs() < untilMs && world.findings.isEmpty) {
    await machine.sleep(lookMs);
    left = owed(world, routing);
  }
  // Something else that was found has ended the wait.
  if (left !== undefined && world.findings.isEmpty)
    world.findings.add('6 every order ends', `${when}, ${quietMsMax / 60_000} minutes were not enough: ${left}`);
}

/** The system's own audit must find nothing either. */
async function audit(world: World, when: string): Promise<void> {
  const body = await ask(world, when, { deed: 'audit', method: 'GET', path: `/v1/sales/${saleId}/audit` }, 200);
  const { items = [], money, redis } = (body ?? {}) as AuditBody;
  if (money?.balanced !== true)
    world.findings.add('5 money is conserved', `the audit does not find the money balanced: ${JSON.stringify(money)}`);
  for (const { sku, conserved } of items)
    if (!conserved) world.findings.add('4 stock is conserved', `the audit does not find ${sku} conserved`);
  if (redis?.agrees !== true) world.findings.add('4 stock is conserved', `the audit finds drift in Redis: ${redis?.drift?.join('; ')}`);
}

/** What everybody is shown of the sale is what is left. */
async function compareSale(world: World, when: string, { rows, redis }: Quiet): Promise<void> {
  const body = await ask(world, when, { deed: 'look', method: 'GET', path: `/v1/sales/${saleId}` }, 200);
  const { items = [] } = (body ?? {}) as { items?: readonly { sku: string; total: number; available: number }[] };
  for (const { sku, total } of rows.sale?.items ?? []) {
    const shown = items.find((item) => item.sku === sku);
    const left = total - rows.units.filter((row) => row.sku === sku).length;
    const isShown = shown?.total === total && (shown.available === left || redis === undefined);
    if (!isShown)
      world.findings.add(
        '4 stock is conserved',
        `of ${sku}, ${left} of ${total} are left, and the sale shows ${shown?.available} of ${shown?.total}`,
      );
  }
}

interface AuditBody {
  readonly items?: readonly { readonly sku: string; readonly conserved: boolean }[];
  readonly money?: { readonly balanced: boolean };
  readonly redis?: { readonly agrees: boolean; readonly drift?: readonly string[] };
}

async function ask(world: World, when: string, request: Omit<Request, 'id' | 'who'>, wanted: number): Promise<unknown> {
  const id = `${request.deed}, ${when}`;
  const exchange = await untilAnswered(
    world,
    { id, who: operatorWho, ...request },
    calmAttemptsMax,
    world.machine.random.fork(`calm/${id}`),
  );
  if (statusOf(exchange) === wanted && exchange.reply?.outcome === 'answered') return exchange.reply.body;
  world.findings.add(
    'answers',
    `${id}: nothing fails any more, and it is answered with ${statusOf(exchange) ?? 'silence'} ${problemOf(exchange).code ?? ''}`,
  );
  return undefined;
}
