import { inParallel } from '../../functions/shared/parallel.ts';
import { pause, until, WaitedInVain } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { Connection, NoAnswer } from '../../lib/client/connection.ts';
import { type AuditBody, isAtRest, type OrderBody } from '../../lib/client/contract.ts';
import { EndpointRefused, listOrders } from '../../lib/client/crowd.ts';
import { patientBuyer, withRetries } from '../../lib/client/retry.ts';
import { SeatChart, seatNames } from '../../lib/client/seating.ts';
import { localCallers } from '../../lib/client/tokens.ts';
import type { Random } from '../simulation/random.ts';
import { judge, type Verdict } from './evidence.ts';
import { type FaultKind, type Injected, inject } from './faults.ts';
import { readRedis, readRows } from './rows.ts';
import { askAgain, type Manner, manners, type Shop, type Shopper, shop, type Told } from './shoppers.ts';
import type { World } from './world.ts';

export interface SalePlan {
  readonly saleId: string;
  readonly strategy: 'reserve-first' | 'charge-first';
  readonly isSeated: boolean;
  readonly units: number;
  readonly buyers: number;
  /** How long buyers keep coming, and faults beginning. */
  readonly rushMs: number;
  readonly faults: readonly FaultKind[];
}

export interface SaleReport {
  readonly plan: SalePlan;
  readonly injected: readonly Injected[];
  readonly orders: number;
  readonly acknowledged: number;
  readonly requestsRepeated: number;
  /** From the end of the last fault, or of the rush, until everything was at rest. */
  readonly settledMs: number;
  readonly verdict: Verdict;
  /** For whoever looks into a broken one. */
  readonly evidence: object;
}

const priceMinor = 700;
const fundedMinor = 100_000;
const holdSeconds = 8;
/** Nothing that was asked for in the rush may be without an outcome so long after it, faults and a start of the front end included. */
const patienceMs = 240_000;
const settledMsMax = 240_000;
const connections = 24;
const replaysMax = 60;

/** How often buyers are of which manner. */
const weights: Readonly<Record<Manner, number>> = {
  balance: 46,
  external: 10,
  'external-late': 6,
  'external-declined': 4,
  'external-unpaid': 6,
  cart: 10,
  'cart-left': 3,
  cancels: 8,
  refunded: 7,
};

/** One sale from its opening to its verdict. Every wait in it is bounded; whatever it can't wait for any longer is a finding. */
export async function runSale(world: World, plan: SalePlan, random: Random, say: (line: string) => void): Promise<SaleReport> {
  const connection = new Connection(world.runtime.facts.url, { connections, timeoutMs: 40_000 });
  try {
    return await sell(world, plan, random, new Client(connection), say);
  } finally {
    await connection.close();
  }
}

async function sell(world: World, plan: SalePlan, random: Random, anyone: Client, say: (line: string) => void): Promise<SaleReport> {
  const { saleId, units, isSeated } = plan;
  const callers = localCallers(anyone, saleId);
  const operator = anyone.as(await callers.operator());
  const place = await open(world, plan, anyone, operator);
  const shoppers = await shoppersOf(
    plan,
    random,
    (await callers.buyers(plan.buyers)).map((buyer) => ({ ...buyer, client: anyone.as(buyer.token) })),
  );
  await fund(operator, shoppers);

  const [told, injected] = await Promise.all([
    Promise.all(shoppers.map((shopper) => shop(shopper, place))),
    disturb(world, plan, random.fork('faults'), say),
  ]);
  await world.calm();
  const calmMs = performance.now();
  await settled(operator, plan);
  const settledMs = Math.round(performance.now() - calmMs);
  // What came back is bought out: had a fault leaked a unit, fewer than all would be sold in the end.
  const late = await buyOut(place, plan, random, operator, async (count) =>
    (await callers.buyers(count)).map((buyer) => ({ ...buyer, client: anyone.as(buyer.token) })),
  );
  const everyone = [...shoppers, ...late.shoppers];
  const all = [...told, ...late.told];
  const { orders, audit } = await settled(operator, plan);
  const changedReplays = await replayed(everyone, all, { ...place, deadlineMs: performance.now() + patienceMs }, random);

  const [rows, redis] = [await readRows(world, saleId), await readRedis(world, saleId)];
  const evidence = { ...place, units, priceMinor, fundedMinor, told: all, orders, audit, rows, redis, changedReplays };
  const { chart: _c, operator: _o, anyone: _a, webhookSecrets: _s, ...kept } = evidence;
  return {
    plan,
    injected,
    settledMs,
    orders: orders.length,
    acknowledged: all.filter(({ order }) => order).length,
    requestsRepeated: all.reduce((sum, { attempts }) => sum + attempts - 1, 0),
    verdict: judge({ ...evidence, seats: isSeated ? place.seats : [] }),
    evidence: {
      ...kept,
      redis: redis && { ...redis, slots: [...redis.slots], pool: [...redis.pool], suspects: [...redis.suspects], seats: [...redis.seats] },
    },
  };
}

function must(what: string, { answer }: { answer: { ok: boolean; text: string; status: number } | undefined }): void {
  if (!answer?.ok) throw new EndpointRefused(`${what}: ${answer ? `${answer.status} ${answer.text.slice(0, 200)}` : 'no answer'}`);
}

async function open(world: World, plan: SalePlan, anyone: Client, operator: Client): Promise<Shop> {
  const { saleId, strategy, isSeated, units } = plan;
  const sku = `${saleId}-tee`;
  const seats = isSeated ? seatNames(units) : [];
  const nowMs = Date.now();
  const sale = {
    ...{ saleId, strategy, holdSeconds, name: 'A sale under fire', perBuyerLimit: quantityMax },
    opensAt: new Date(nowMs - 3_600_000).toISOString(),
    closesAt: new Date(nowMs + 86_400_000).toISOString(),
    items: [isSeated ? { sku, seats } : { sku, units }],
  };
  must(
    'creating the product',
    await withRetries(() => operator.createProduct({ sku, name: 'Tee', priceMinor, currency: 'EUR' }), patientBuyer),
  );
  must('creating the sale', await withRetries(() => operator.createSale(sale, saleId), patientBuyer));
  const { webhookSecret } = world.runtime.facts;
  return {
    ...{ saleId, sku, seats, operator, anyone, holdMs: holdSeconds * 1_000 },
    chart: new SeatChart(anyone, { saleId, sku }),
    webhookSecrets: webhookSecret === undefined ? [] : [webhookSecret],
    deadlineMs: performance.now() + plan.rushMs + patienceMs,
  };
}

const quantityMax = 3;

interface Named {
  readonly userId: string;
  readonly client: Client;
}

async function shoppersOf(plan: SalePlan, random: Random, named: readonly Named[]): Promise<Shopper[]> {
  const lots = manners.flatMap((manner) => Array.from({ length: weights[manner] }, () => manner));
  return named.map(({ userId, client }) => {
    const draws = random.fork(userId);
    const drawn = draws.pick(lots);
    // A cart of seats is the same code as one of counted units but for the names; here seats are what many want at once.
    const manner = plan.isSeated && drawn.startsWith('cart') ? 'balance' : drawn;
    const common = { userId, client, manner, random: draws, key: `${userId}-order` };
    return { ...common, quantity: 1 + draws.int(quantityMax), arrivesMs: draws.int(plan.rushMs) };
  });
}

const fund = (operator: Client, shoppers: readonly Named[]): Promise<unknown> =>
  inParallel(shoppers, connections, async ({ userId }) => {
    const account = { userId, balanceMinor: fundedMinor, currency: 'EUR' };
    const made = await withRetries(() => operator.createUser(account), patientBuyer);
    if (made.answer?.body && 'code' in made.answer.body && made.answer.body.code === 'ALREADY_EXISTS') return;
    must(`creating the account of ${userId}`, made);
  });

/** Each of the sale's faults once, at its own time in the rush. */
async function disturb(world: World, plan: SalePlan, random: Random, say: (line: string) => void): Promise<Injected[]> {
  return Promise.all(
    plan.faults.map(async (kind) => {
      const draws = random.fork(kind);
      await pause(500 + draws.int(Math.max(1, plan.rushMs - 4_000)));
      const injected = await inject(kind, { world, random: draws, ms: 2_000 + draws.int(3_000) });
      say(`  ${kind}: ${injected.words}`);
      return injected;
    }),
  );
}

const isClean = ({ items, money, redis }: AuditBody): boolean =>
  redis.agrees && money.balanced && items.every(({ conserved, held }) => conserved && held === 0);

interface Settled {
  readonly orders: OrderBody[];
  readonly audit: AuditBody;
}

/** Every order once all have ended and the audit is clean, or as they are when that takes too long: then the verdict finds what is left. */
async function settled(operator: Client, { saleId }: SalePlan): Promise<Settled> {
  let orders: OrderBody[] = [];
  let audit: AuditBody | undefined;
  const isQuiet = async () => {
    // What fails while connections come back is asked again.
    await operator.localRun('sweeper').catch(unlessUnanswered);
    await operator.localRun('reconciler').catch(unlessUnanswered);
    orders = await listOrders(operator, saleId);
    if (!orders.every(isAtRest)) return undefined;
    const { answer } = await withRetries(() => operator.audit(saleId), patientBuyer);
    if (answer?.ok) audit = answer.body;
    return audit && isClean(audit) ? true : undefined;
  };
  await until('everything is settled', isQuiet, { withinMs: settledMsMax, everyMs: 1_000 }).catch((error: unknown) => {
    if (!(error instanceof WaitedInVain)) throw error;
  });
  if (!audit) {
    const { answer } = await withRetries(() => operator.audit(saleId), patientBuyer);
    if (!answer?.ok) throw new EndpointRefused(`the audit: ${answer ? answer.text.slice(0, 200) : 'no answer'}`);
    audit = answer.body;
  }
  return { orders, audit };
}

const unlessUnanswered = (error: unknown): void => {
  if (!(error instanceof NoAnswer)) throw error;
};

/** New buyers, as many as there are units left and some more, one unit each. */
async function buyOut(place: Shop, plan: SalePlan, random: Random, operator: Client, buyers: (count: number) => Promise<Named[]>) {
  const { answer } = await withRetries(() => operator.audit(plan.saleId), patientBuyer);
  const left = answer?.ok ? answer.body.items.reduce((sum, { available }) => sum + available, 0) : 0;
  const named = await buyers(left + 2);
  await fund(operator, named);
  const shoppers = named.map(({ userId, client }) => ({
    ...{ userId, client, manner: 'balance' as const, quantity: 1, key: `${userId}-order` },
    ...{ random: random.fork(userId), arrivesMs: 0 },
  }));
  const shopping = { ...place, deadlineMs: performance.now() + patienceMs };
  // Not all at once: with seats, whoever picks looks at the list first.
  const told: Told[] = await inParallel(shoppers, 8, (shopper) => shop(shopper, shopping));
  return { shoppers, told };
}

/** Some of the requests that were answered with an order, sent again: those that are not answered with the very same. */
async function replayed(shoppers: readonly Shopper[], told: readonly Told[], place: Shop, random: Random): Promise<string[]> {
  const byId = new Map(shoppers.map((shopper) => [shopper.userId, shopper]));
  const answered = told.flatMap(({ buyerId, order, request }) => {
    const shopper = byId.get(buyerId);
    return shopper && order && request ? [{ shopper, order, request }] : [];
  });
  const share = replaysMax / Math.max(replaysMax, answered.length);
  const some = answered.filter(() => random.chance(share));
  const changed = await inParallel(some, 8, async ({ shopper, order, request }) => {
    const { answer } = await askAgain(shopper, place, request);
    const isSame = answer?.ok && answer.status === 201 && JSON.stringify(answer.body) === JSON.stringify(order);
    return isSame
      ? []
      : [`${order.orderId} of ${shopper.userId}: ${answer ? `${answer.status} ${answer.text.slice(0, 300)}` : 'no answer'}`];
  });
  return changed.flat();
}
