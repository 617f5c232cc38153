import { holdIdOf, orderIdOf } from '../../functions/shared/ids.ts';
import { stockIdOf } from '../../functions/stock/shards.model.ts';
import { eventOf, replyOf } from '../../lib/local/http-event.ts';
import { Answers } from './answers.ts';
import type { Deployment } from './deployment.ts';
import { Races, RowCounts } from './fault-rows.ts';
import { Faults } from './faults.ts';
import { Findings } from './findings.ts';
import { type Exchange, History, type Reply, type Request } from './history.ts';
import type { Invocation, Machine } from './machine/contract.ts';
import type { Plan } from './plan.ts';
import { randomOf } from './random.ts';
import { stocksOf } from './redis-view.ts';

export const saleId = 'sale';
export const currency = 'EUR';
export const operator = 'olga';

/** Everything that a run has at hand: the machine with the functions, what is between and around them, and what is kept of it all. */
export interface World {
  readonly plan: Plan;
  readonly machine: Machine;
  readonly deployment: Deployment;
  readonly rows: RowCounts;
  readonly races: Races;
  readonly faults: Faults;
  readonly findings: Findings;
  readonly history: History;
  readonly answers: Answers;
  /** Since the people began. */
  elapsedMs(): number;
  /** The order that a buyer's key stands for. */
  orderIdOf(buyer: string, key: string): string;
  /** Runs a function of the deployment once; `deed` says what for. */
  invoke(functionName: string, event: unknown, deed: string): Promise<Invocation>;
  /** A request to the HTTP API, with its answer; silence when nobody knows what became of it. */
  request(request: Request): Promise<Exchange>;
}

const skewMs = 120_000;
/** A container that has seen all shards dry believes it for half a second. */
const believedMs = 600;
const clockTolerant = /^(orders|payments|fulfilment|cart|views|messaging)\//;

interface WorldOptions {
  /** When people begin. */
  readonly startMs: number;
  readonly holdSecret: string;
}

export function worldOf(plan: Plan, machine: Machine, deployment: Deployment, { startMs, holdSecret }: WorldOptions): World {
  const elapsedMs = () => machine.nowMs() - startMs;
  const rows = new RowCounts();
  const history = new History(elapsedMs);
  const findings = new Findings((finding) => history.tell(`BROKEN: ${finding.invariant}: ${finding.what}`));
  const races = new Races(rows, machine.database);
  const faults = new Faults(plan.faults, {
    elapsedMs,
    random: randomOf(`faults/${plan.seed}`),
    onStrike: ({ row, what, fault }) => {
      rows.hit(row);
      history.tell(`fault ${fault.id}, row ${row}: ${what}`);
    },
  });

  async function invoke(functionName: string, event: unknown, deed: string): Promise<Invocation> {
    races.begins(deed);
    try {
      const luck = clockTolerant.test(functionName) ? faults.strikes('clock-off', functionName) : undefined;
      const skew = luck ? { skewMs: luck.pick([-skewMs, skewMs]) } : {};
      return await machine.invoke(functionName, event, { timeoutMs: deployment.timeoutMsOf(functionName), ...skew });
    } finally {
      races.ends(deed);
    }
  }

  const isLost = (stockId: string) => machine.redis.command('HEXISTS', `{${stockId}}:sale`, 's') === 0;
  const homeOf = ({ who }: Request) => stockIdOf({ saleId, shards: plan.shards, buyerId: who?.sub ?? '' });
  let anyLostMs: number | undefined;
  /** Since when it was seen that a shard is lost. */
  const seeLoss = (): number | undefined => {
    anyLostMs = stocksOf(saleId, plan.shards).some(isLost) ? (anyLostMs ?? elapsedMs()) : undefined;
    return anyLostMs;
  };
  const answers = new Answers(machine.database, findings);
  history.onReply((exchange) => answers.see(exchange));

  async function request(request: Request): Promise<Exchange> {
    answers.begins(request, elapsedMs());
    const exchange = history.begin(request);
    const home = homeOf(request);
    const [wasLost, lostMs] = [isLost(home), seeLoss()];
    const loadsBefore = races.loads;
    const reply = await answerOf(request);
    history.end(exchange, reply);
    // Lost before and after, and nobody has brought it back in between.
    const isSame = races.loads === loadsBefore;
    if (wasLost && isLost(home) && isSame) answers.seeLost(exchange);
    else if (lostMs !== undefined && exchange.fromMs - lostMs > believedMs && seeLoss() === lostMs && isSame)
      answers.seeLostElsewhere(exchange);
    return exchange;
  }

  async function answerOf(request: Request): Promise<Reply> {
    const { method, path, query = '' } = request;
    const match = deployment.routes.match(method, path);
    if (!match) throw new Error(`the API has no route for ${method} ${path}`);
    const parameters = Object.fromEntries(Object.entries(match.parameters).map(([name, value]) => [name, decodeURIComponent(value)]));
    const body = request.text ?? (request.body === undefined ? '' : JSON.stringify(request.body));
    const event = eventOf({
      ...{ method, path, queryString: query, body: Buffer.from(body), requestId: `request-${request.id}`, nowMs: machine.nowMs() },
      headers: {
        host: 'simulated',
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
        ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
        ...request.headers,
      },
      routeKey: match.routeKey,
      pathParameters: parameters,
      authorised: request.who && { claims: { sub: request.who.sub, scope: request.who.scope }, scopes: new Set([request.who.scope]) },
      apiId: 'simulated',
      sourceIp: '127.0.0.1',
    });
    const invocation = await invoke(match.target.functionName, event, request.deed);
    if (invocation.outcome !== 'returned') {
      const why = invocation.outcome === 'threw' ? `threw ${String(invocation.error)}` : invocation.outcome;
      return { outcome: 'silence', why };
    }
    const { status, body: text, headers } = replyOf(invocation.result);
    return {
      outcome: 'answered',
      status,
      body: jsonOf(String(text)),
      text: String(text),
      isReplay: headers['idempotency-replayed'] === 'true',
    };
  }

  const orderIdBy = (buyer: string, key: string) => orderIdOf(holdIdOf(holdSecret, buyer, saleId, key));
  return { plan, machine, deployment, rows, races, faults, findings, history, answers, elapsedMs, orderIdOf: orderIdBy, invoke, request };
}

function jsonOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
