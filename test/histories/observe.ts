import type { CartBody, OrderBody, ProblemBody, SaleBody } from '../../lib/client/contract.ts';
import type { Possession } from './ownership.ts';
import type { Effect, Operation, Stock } from './stock-object.ts';
import type { Call, Window } from './window.ts';

/** What came back may be seen as gone for so long: "sold out" is the one thing that may be stale. */
const staleMsMax = 60_000;

/** What the clients of a window saw, item by item, as operations on its stock. */
export interface Observed {
  readonly sku: string;
  readonly initial: Stock;
  readonly history: readonly Operation[];
}

interface Seen {
  readonly sku: string;
  readonly operation: Operation;
}

const never = Number.POSITIVE_INFINITY;

/** The history of each item of the window. Throws when a request got no answer: whether it was done would be a guess. */
export function observed(window: Window): Observed[] {
  const seen = [...callsSeen(window), ...window.orders.flatMap((order) => endSeen(window, order))];
  return window.sale.items.map(({ sku, total }) => ({
    sku,
    initial: { free: total, owned: new Set<string>() },
    history: seen.filter((each) => each.sku === sku).map(({ operation }) => operation),
  }));
}

function callsSeen(window: Window): Seen[] {
  const seen: Seen[] = [];
  for (const [client, calls] of Map.groupBy(window.calls, (call) => call.client)) {
    let cart: CartBody['items'] = [];
    for (const call of calls) {
      if (!call.answer || call.answer.status >= 500) throw new Error(`${client} was told nothing of ${JSON.stringify(call.asked)}`);
      seen.push(...effectsOf(window, call, cart).map(({ sku, effect }) => ({ sku, operation: done(call, effect) })));
      if (!call.answer.ok) continue;
      const { kind } = call.asked;
      if (kind === 'set-cart' || kind === 'drop-cart') cart = (call.answer.body as CartBody).items;
      if (kind === 'check-out') cart = [];
    }
  }
  return seen;
}

const givesBack = (effect: Effect): boolean => effect.kind === 'give';

const done = (call: Call, effect: Effect): Operation => ({
  label: `${call.client} ${JSON.stringify(call.asked)}`,
  effect,
  invokedMs: call.invokedMs,
  respondedMs: call.respondedMs + (givesBack(effect) ? staleMsMax : 0),
});

interface Change {
  readonly sku: string;
  readonly effect: Effect;
}

function effectsOf(window: Window, call: Call, cart: CartBody['items']): Change[] {
  const { asked, answer } = call;
  if (!answer?.ok) return refusalsOf(asked, answer?.body as ProblemBody | undefined, cart);
  const isReplay = answer.headers['idempotency-replayed'] === 'true';
  switch (asked.kind) {
    case 'place':
      return isReplay && window.sale.strategy === 'charge-first' ? [] : takenBy(answer.body as OrderBody);
    case 'check-out':
      return (answer.body as OrderBody).items.map(({ sku, units }) => ({
        sku,
        effect: { kind: 'name', units: newlyNamed(sku, units, cart) },
      }));
    case 'set-cart':
    case 'drop-cart':
      return cartChange(asked.sku, cart, (answer.body as CartBody).items);
    case 'read':
      return (answer.body as SaleBody).items.map(({ sku, available }) => ({ sku, effect: { kind: 'read', free: available } }));
    case 'restock':
      return [{ sku: asked.sku, effect: { kind: 'grow', by: asked.units } }];
    case 'cancel':
    case 'refund':
      // What came of it is seen at the order.
      return [];
  }
}

/** Seats have had their names in the cart already. */
const newlyNamed = (sku: string, units: readonly string[], cart: CartBody['items']): readonly string[] => {
  const known = new Set(cart.find((line) => line.sku === sku)?.seats);
  return units.filter((unit) => !known.has(unit));
};

const takenBy = (order: OrderBody): Change[] =>
  order.items.flatMap(({ sku, units }) => (units.length === 0 ? [] : [{ sku, effect: { kind: 'take', units, unnamed: 0 } as const }]));

function cartChange(sku: string, before: CartBody['items'], after: CartBody['items']): Change[] {
  const [had, has] = [before, after].map((lines) => lines.find((line) => line.sku === sku));
  const [hadSeats, hasSeats] = [new Set(had?.seats), new Set(has?.seats)];
  const isSeated = hadSeats.size + hasSeats.size > 0;
  const more = isSeated ? 0 : (has?.quantity ?? 0) - (had?.quantity ?? 0);
  const [gained, lost] = [[...hasSeats].filter((seat) => !hadSeats.has(seat)), [...hadSeats].filter((seat) => !hasSeats.has(seat))];
  const changes: Effect[] = [
    { kind: 'take', units: gained, unnamed: Math.max(0, more) },
    { kind: 'give', units: lost, unnamed: Math.max(0, -more) },
  ];
  return changes.filter((effect) => 'unnamed' in effect && effect.units.length + effect.unnamed > 0).map((effect) => ({ sku, effect }));
}

function refusalsOf(asked: Call['asked'], problem: ProblemBody | undefined, cart: CartBody['items']): Change[] {
  const { code, sku, available, seats } = problem ?? {};
  if (sku === undefined) return [];
  if (code === 'SEAT_TAKEN') return [{ sku, effect: { kind: 'taken', units: seats ?? [] } }];
  if (code !== 'SOLD_OUT') return [];
  const had = cart.find((line) => line.sku === sku)?.quantity ?? 0;
  if (asked.kind === 'set-cart' && asked.quantity !== undefined)
    // Told is the most that could be set, with what the cart has.
    return [
      { sku, effect: { kind: 'sold-out', wanted: asked.quantity - had, free: available === undefined ? undefined : available - had } },
    ];
  if (asked.kind !== 'place') return [];
  const wanted = asked.items.reduce((sum, line) => sum + (line.sku === sku && 'quantity' in line ? line.quantity : 0), 0);
  return [{ sku, effect: { kind: 'sold-out', wanted, free: available } }];
}

interface Placing {
  readonly call: Call;
  /** The order as its answer showed it. */
  readonly told: OrderBody;
}

function placing(window: Window, { orderId }: OrderBody): Placing {
  for (const call of window.calls) {
    const isPlacing = call.asked.kind === 'place' || call.asked.kind === 'check-out';
    if (!isPlacing || !call.answer?.ok) continue;
    const told = call.answer.body as OrderBody;
    if (told.orderId === orderId) return { call, told };
  }
  throw new Error(`nobody has placed ${orderId}`);
}

const endings = (window: Window, { orderId }: OrderBody): Call[] =>
  window.calls.filter(({ asked }) => (asked.kind === 'cancel' || asked.kind === 'refund') && asked.orderId === orderId);

const givenBack: ReadonlySet<OrderBody['status']> = new Set(['CANCELLED', 'FAILED', 'EXPIRED']);

/** What happened to an order's units after its answer: those of a charged-first order came later, those of an ended one went back. */
function endSeen(window: Window, order: OrderBody): Seen[] {
  const { call: place, told } = placing(window, order);
  const label = `order ${order.orderId} (${order.status})`;
  const wasPending = told.status === 'PENDING';
  const span = { label, invokedMs: place.invokedMs };
  const taken = wasPending
    ? takenBy(order).map(({ sku, effect }) => ({ sku, operation: { ...span, effect, respondedMs: window.readMs } }))
    : [];
  const [only, ...others] = order.items;
  if (wasPending && order.failure === 'OUT_OF_STOCK' && only && others.length === 0 && !window.seats.has(only.sku))
    taken.push({
      sku: only.sku,
      operation: { ...span, effect: { kind: 'sold-out', wanted: only.quantity }, respondedMs: window.readMs },
    });
  return [...taken, ...returned(window, order, place, label)];
}

function returned(window: Window, order: OrderBody, place: Call, label: string): Seen[] {
  const taken = endings(window, order).filter(({ answer }) => answer?.ok);
  const cancel = taken.find(({ asked }) => asked.kind === 'cancel');
  const refund = taken.find(({ asked }) => asked.kind === 'refund' && asked.returnUnits);
  const isBack = givenBack.has(order.status) || (order.status === 'REFUNDED' && (cancel ?? refund) !== undefined);
  if (!isBack) return [];
  // A cancelled order that was paid gives its units back when its money goes back, and that is nobody's answer.
  const untilMs = order.status === 'CANCELLED' && cancel ? cancel.respondedMs + staleMsMax : never;
  const { invokedMs } = cancel ?? refund ?? place;
  return takenBy(order).map(({ sku, effect }) => ({
    sku,
    operation: { label: `${label} gives back`, effect: { ...effect, kind: 'give' } as Effect, invokedMs, respondedMs: untilMs },
  }));
}

/** What orders had for certain, and carts the seats that they named. */
export function possessions(window: Window): Possession[] {
  const ofOrders = window.orders.flatMap((order): Possession[] => {
    const { call, told } = placing(window, order);
    const hadUnits = told.items.some(({ units }) => units.length > 0);
    const fromMs = hadUnits ? call.respondedMs : window.readMs;
    const untilMs = earliestEndMs(window, order);
    return order.items.flatMap(({ sku, units }) =>
      units.map((unit) => ({ unit: `${sku} ${unit}`, orderId: order.orderId, fromMs, untilMs })),
    );
  });
  return [...ofOrders, ...seatsOfCarts(window)];
}

function earliestEndMs(window: Window, order: OrderBody): number {
  const asked = endings(window, order).map(({ invokedMs }) => invokedMs);
  if (order.status === 'FAILED') return 0;
  // The deadline is the server's, the clock of this process may differ by a little.
  if (order.status === 'EXPIRED') return Date.parse(order.holdExpiresAt ?? order.createdAt) - 1_000;
  return asked.length === 0 ? never : Math.min(...asked);
}

function seatsOfCarts(window: Window): Possession[] {
  const found: Possession[] = [];
  for (const [client, calls] of Map.groupBy(window.calls, (call) => call.client)) {
    const moves = calls.filter(({ asked }) => asked.kind === 'set-cart' || asked.kind === 'drop-cart' || asked.kind === 'check-out');
    for (const [index, { asked, answer, respondedMs }] of moves.entries()) {
      if (asked.kind === 'check-out' || !answer?.ok) continue;
      const untilMs = moves[index + 1]?.invokedMs ?? window.readMs;
      for (const { sku, seats = [] } of (answer.body as CartBody).items)
        for (const seat of seats) found.push({ unit: `${sku} ${seat}`, orderId: `the cart of ${client}`, fromMs: respondedMs, untilMs });
    }
  }
  return found;
}
