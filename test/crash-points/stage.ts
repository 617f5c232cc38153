import {
  buyerOf,
  type KnownOrder,
  letPeopleAct,
  operatorWho,
  type People,
  type Placed,
  type ProviderSecrets,
  persistentMax,
  untilAnswered,
} from '../simulation/actors.ts';
import { type Exchange, type Request, statusOf, type Who } from '../simulation/history.ts';
import type { IoCall, Machine, Verdict } from '../simulation/machine/contract.ts';
import type { Deed, Line, Method, PaymentKind } from '../simulation/plan.ts';
import { type RedisView, redisViewsOf } from '../simulation/redis-view.ts';
import type { Routing } from '../simulation/routing.ts';
import { type OrderRow, type Rows, rowsOf } from '../simulation/rows.ts';
import { saleId, type World } from '../simulation/world.ts';

/** A fault of the scenario's own: it strikes the first call that it is meant for, or each. */
interface Staged {
  readonly strikes: (call: IoCall) => boolean;
  readonly verdict: Verdict;
  readonly isLasting: boolean;
}

interface GraphqlBody {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly { readonly extensions?: { readonly retryable?: boolean } }[];
}

interface StageOptions {
  readonly people: People;
  readonly secrets: ProviderSecrets;
}

const lookMs = 500;
/** What a consumer's crash delays: its message comes back after three minutes, and a sweep or a reconciliation may have to come first. */
const waitMsMax = 15 * 60_000;

/** What a script does with its world: people's deeds, each until it is answered, and waits for what follows from them. */
export class Stage {
  readonly #people: People;
  readonly #secrets: ProviderSecrets;
  readonly #staged: Staged[] = [];
  /** What the script has noticed itself. */
  readonly broken: string[] = [];

  constructor({ people, secrets }: StageOptions) {
    this.#people = people;
    this.#secrets = secrets;
  }

  get world(): World {
    return this.#people.world;
  }

  get machine(): Machine {
    return this.#people.world.machine;
  }

  get routing(): Routing {
    return this.#people.routing;
  }

  get rows(): Rows {
    return rowsOf(this.machine.database, saleId);
  }

  /** Does what the simulation's people do, now. */
  async act(id: string, deed: Deed): Promise<void> {
    const { world } = this.#people;
    const people = { ...this.#people, world: { ...world, plan: { ...world.plan, actions: [{ id, atMs: 0, ...deed }] } } };
    await letPeopleAct(people, this.#secrets);
  }

  /** Places an order and asks again with the same key until it is answered. `attemptsMax: 1` for somebody who gives up. */
  async place(
    id: string,
    buyer: string,
    lines: readonly Line[] | 'cart',
    more: { method?: Method; attemptsMax?: number } = {},
  ): Promise<void> {
    const { method = 'balance', attemptsMax = persistentMax } = more;
    await this.act(id, { do: 'place', buyer, lines, method, racers: 1, attemptsMax });
  }

  pay(id: string, of: string, kind: PaymentKind): Promise<void> {
    return this.act(id, { do: 'pay', of, kind });
  }

  /** A request, again and again until it is answered. Operators send it unless somebody else is named; nobody at all with `who: undefined`. */
  async ask(id: string, request: Omit<Request, 'id' | 'deed'> & { readonly deed?: string }): Promise<Exchange> {
    const full: Request = { deed: 'other', who: operatorWho, ...request, id };
    return untilAnswered(this.#people.world, full, persistentMax, this.machine.random.fork(`ask/${id}`));
  }

  /** The same of GraphQL, where a refusal is an error in the answer. */
  async graphql(id: string, who: Who, query: string, variables?: object): Promise<GraphqlBody> {
    for (let attempt = 1; ; attempt++) {
      const request: Request = {
        id: `${id}.${attempt}`,
        deed: 'graphql',
        method: 'POST',
        path: '/v1/graphql',
        who,
        body: { query, variables },
      };
      const exchange = await this.world.request(request);
      const body = exchange.reply?.outcome === 'answered' && statusOf(exchange) === 200 ? (exchange.reply.body as GraphqlBody) : undefined;
      const isOver = body && !body.errors?.some(({ extensions }) => extensions?.retryable === true);
      if (isOver || attempt >= persistentMax) {
        if (!body || body.errors) this.broken.push(`${id} was answered with ${statusOf(exchange)}: ${JSON.stringify(body?.errors)}`);
        return body ?? {};
      }
      await this.sleep(1_000);
    }
  }

  async placeByGraphql(id: string, buyer: string, query: string): Promise<void> {
    const key = `key-${id}`;
    const placed: Placed = { buyer, key, body: undefined };
    this.#people.placed.set(id, placed);
    const { data } = await this.graphql(id, buyerOf(buyer), query, { key });
    if (data?.placeOrder) placed.order = data.placeOrder as KnownOrder;
  }

  sleep(ms: number): Promise<void> {
    return this.machine.sleep(ms);
  }

  /** Waits for what must come. */
  async until(what: string, hasCome: () => boolean): Promise<void> {
    const untilMs = this.machine.nowMs() + waitMsMax;
    while (!hasCome()) {
      if (this.machine.nowMs() > untilMs) return void this.broken.push(`${waitMsMax / 60_000} minutes were not enough: ${what}`);
      await this.sleep(lookMs);
    }
  }

  /** Waits until an order is in one of these. */
  untilStatus(id: string, ...statuses: readonly string[]): Promise<void> {
    return this.until(`${id} is ${statuses.join(' or ')}`, () => statuses.includes(this.orderOf(id)?.status ?? 'not there'));
  }

  /** The order that was placed under this name, as it is stored: whether its buyer has been told or not. */
  orderOf(id: string): OrderRow | undefined {
    const placed = this.#people.placed.get(id);
    if (!placed) return undefined;
    const orderId = placed.order?.orderId ?? this.world.orderIdOf(placed.buyer, placed.key);
    return this.rows.orders.find((order) => order.orderId === orderId);
  }

  /** Whether its buyer was told of it. */
  isAnswered(id: string): boolean {
    return this.#people.placed.get(id)?.order !== undefined;
  }

  /** What Redis has of the sale, in its first shard; undefined while it does not have all of it. */
  get redis(): RedisView | undefined {
    return this.shards?.[0];
  }

  /** What Redis has of each shard. */
  get shards(): readonly RedisView[] | undefined {
    return redisViewsOf(this.machine.redis, saleId, this.world.plan.shards);
  }

  /** Outbox rows that the poller has to publish, or has given up. */
  unpublished(): readonly Readonly<Record<string, unknown>>[] {
    return this.machine.database.items('outbox').filter(({ pollShard }) => pollShard !== undefined);
  }

  /** How often a message of a consumer's queue was received, at most. */
  receipts(functionName: string): number {
    const { deployment } = this.world;
    const names = deployment.consumers.filter((each) => each.functionName === functionName).map(({ queueName }) => queueName);
    const urls = deployment.queues.filter(({ name }) => names.includes(name)).map(({ url }) => url);
    return Math.max(0, ...urls.flatMap((url) => this.machine.queues.messages(url)).map(({ receivedTimes }) => receivedTimes));
  }

  /** From now on the first call that is meant becomes this. */
  once(strikes: Staged['strikes'], verdict: Verdict): void {
    this.#staged.push({ strikes, verdict, isLasting: false });
  }

  /** From now on each call that is meant becomes this, for as long as it is meant. */
  while(strikes: Staged['strikes'], verdict: Verdict): void {
    this.#staged.push({ strikes, verdict, isLasting: true });
  }

  /** What the script itself has in store for a call; it is spent then. */
  stagedFor(call: IoCall): Verdict | undefined {
    const at = this.#staged.findIndex(({ strikes }) => strikes(call));
    const staged = this.#staged[at];
    if (staged && !staged.isLasting) this.#staged.splice(at, 1);
    return staged?.verdict;
  }
}
