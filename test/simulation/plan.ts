import { add, type Draft, lineOf, moment, placeOf, restockOf, strike } from './draft.ts';
import { type FaultKind, faultKinds, plannedFault } from './fault-kinds.ts';
import { type Random, randomOf } from './random.ts';
import { keysAfterLoss, lostHolds, scenes } from './scenes.ts';

/** What an order asks for of one item. */
export interface Line {
  readonly sku: string;
  readonly quantity?: number;
  readonly seats?: readonly string[];
}

export interface PlannedItem {
  readonly sku: string;
  readonly priceMinor: number;
  readonly units?: number;
  readonly seats?: readonly string[];
}

export type Method = 'balance' | 'external';
export type PaymentKind = 'right' | 'twice' | 'wrong-amount' | 'wrong-currency' | 'failed' | 'stranger' | 'badly-signed';

/** What somebody does. Actions name each other by the first one's id, and one whose other is missing does nothing: any of them can be taken out. */
export type Deed =
  | {
      readonly do: 'place';
      readonly buyer: string;
      readonly lines: readonly Line[] | 'cart';
      readonly method: Method;
      readonly racers: number;
      readonly attemptsMax: number;
      /** Then sends the same key with this instead, to be refused. */
      readonly otherLines?: readonly Line[];
    }
  | { readonly do: 'place-badly'; readonly buyer: string; readonly why: string; readonly body: unknown }
  | { readonly do: 'again'; readonly of: string }
  | { readonly do: 'cart'; readonly buyer: string; readonly line: Line }
  | { readonly do: 'empty-cart'; readonly buyer: string }
  | { readonly do: 'cancel'; readonly of: string; readonly by: 'buyer' | 'operator' }
  | { readonly do: 'read'; readonly of: string }
  | { readonly do: 'look'; readonly buyer: string; readonly at: 'sale' | 'orders' | 'me' | 'cart' | 'seats' | 'all-orders' }
  | { readonly do: 'pay'; readonly of: string; readonly kind: PaymentKind }
  | { readonly do: 'pause'; readonly forMs: number }
  | { readonly do: 'close' }
  | { readonly do: 'call-off' }
  | { readonly do: 'limit'; readonly to: number }
  | { readonly do: 'restock'; readonly line: Line; readonly twice: boolean }
  | { readonly do: 'refund'; readonly of: string; readonly returnUnits: boolean }
  | { readonly do: 'audit' }
  | { readonly do: 'reconcile' }
  | { readonly do: 'redrive' }
  | { readonly do: 'sweep' }
  | { readonly do: 'ask-rebuild' };

export type Action = { readonly id: string; readonly atMs: number } & Deed;

/** A fault and when it may strike: between two moments, at each occasion with this chance, so many times at most. */
export interface PlannedFault {
  readonly id: string;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly chance: number;
  readonly timesMax: number;
}

/** All that a seed decides beforehand. What it does not is drawn by the scheduler's own stream. */
export interface Plan {
  readonly seed: number;
  readonly activeMs: number;
  readonly outboxMode: 'stream' | 'polling';
  /** Nothing that is published reaches anybody, for the whole run. */
  readonly isBusOff: boolean;
  /** Nobody reconciles until all is at rest: where Redis forgets nothing, everything must come right without. */
  readonly isReconcilerOff?: boolean;
  readonly indexLagMsMax: number;
  /** How long a call's way takes at most: the slower, the more meets on it. */
  readonly wayMsMax: number;
  readonly strategy: 'reserve-first' | 'charge-first';
  readonly holdSeconds: number;
  readonly perBuyerLimit?: number;
  /** Over how many shards the sale's stock is spread; one when left out. */
  readonly shards?: number;
  readonly items: readonly PlannedItem[];
  /** By buyer, what the account has at first; one without any has no account. */
  readonly balances: Readonly<Record<string, number | 'none'>>;
  readonly actions: readonly Action[];
  readonly faults: readonly PlannedFault[];
}

const currencyPriceMax = 90;
/** Only the reconciler can mend what comes of these. */
const forgetting: ReadonlySet<FaultKind> = new Set(['redis-empty', 'redis-behind']);

/** What happens under a seed: a sale, its buyers and operators, and what goes wrong. `minutes` is how long people are at it. */
export function planOf(seed: number, { minutes }: { readonly minutes: number }): Plan {
  const random = randomOf(`plan/${seed}`);
  const activeMs = minutes * 60_000;
  const strategy = random.chance(0.6) ? 'reserve-first' : 'charge-first';
  const holdSeconds = random.pick([5, 10, 20, 45]);
  const shards = shardsOf(random.fork('shards'));
  // Seats are sold from one shard alone.
  const items = itemsOf(random.fork('items')).filter(({ seats }) => shards === 1 || seats === undefined);
  const buyers = Array.from({ length: random.between(3, 8) }, (_, index) => `buyer-${index + 1}`);
  const draft: Draft = { random: random.fork('deeds'), activeMs, holdMs: holdSeconds * 1_000, buyers, items, actions: [], faults: [] };
  drawBuying(draft);
  drawOperating(draft);
  const hasLimit = random.chance(0.5);
  for (const scene of random.shuffle(scenes).slice(0, random.between(1, 4))) scene(draft);
  drawFaults(draft);
  if (shards > 1) drawFaultsOfShards({ ...draft, random: random.fork('faults of shards') });
  const lost = random.fork('lost holds');
  if (lost.chance(0.15)) lostHolds({ ...draft, random: lost });
  const loss = draft.faults.find(({ kind }) => forgetting.has(kind));
  const again = random.fork('keys after a loss');
  if (loss && again.chance(0.5)) keysAfterLoss({ ...draft, random: again }, loss.fromMs);
  return {
    ...{ seed, activeMs, strategy, holdSeconds, items },
    outboxMode: random.chance(0.06) ? 'polling' : 'stream',
    isBusOff: random.chance(0.08),
    isReconcilerOff: !draft.faults.some(({ kind }) => forgetting.has(kind)) && random.fork('reconciler').chance(0.7),
    indexLagMsMax: random.pick([0, 0, 500, 5_000]),
    wayMsMax: random.pick([8, 8, 40, 120]),
    ...(hasLimit ? { perBuyerLimit: random.between(1, 6) } : {}),
    ...(shards > 1 ? { shards } : {}),
    balances: Object.fromEntries(buyers.map((buyer) => [buyer, balanceOf(random)])),
    actions: draft.actions.toSorted((one, other) => one.atMs - other.atMs),
    faults: draft.faults.toSorted((one, other) => one.fromMs - other.fromMs),
  };
}

const balanceOf = (random: Random): number | 'none' =>
  random.chance(0.07) ? 'none' : random.chance(0.2) ? random.between(0, 100) : 100_000;

/** So few units over so many shards that homes are dry again and again. */
const shardsOf = (random: Random): number => (random.chance(0.3) ? random.between(2, 4) : 1);

function itemsOf(random: Random): PlannedItem[] {
  const counted = Array.from({ length: random.between(1, 2) }, (_, index) => ({
    ...{ sku: `tee-${index + 1}`, priceMinor: random.between(1, currencyPriceMax) },
    units: random.between(1, 14),
  }));
  const seats = Array.from({ length: random.between(2, 8) }, (_, index) => `A-${index + 1}`);
  const seated = random.chance(0.45) ? [{ sku: 'hall', priceMinor: random.between(1, currencyPriceMax), seats }] : [];
  return [...counted, ...seated];
}

function drawBuying(draft: Draft): void {
  const { random, activeMs } = draft;
  // A crowd at once, and then others for as long as it goes on.
  const crowd = random.between(4, 14);
  const rushMs = 1_000 + random.next() * activeMs * 0.3;
  for (let index = 0; index < crowd; index++) drawOrder(draft, rushMs + random.next() * 1_500);
  for (let left = random.between(4, 16); left > 0; left--) drawOrder(draft, moment(draft));
  for (let left = random.between(0, 4); left > 0; left--) drawCart(draft, moment(draft));
  for (let left = random.between(0, 3); left > 0; left--) drawBad(draft, moment(draft));
  const looks = ['sale', 'orders', 'me', 'cart', 'seats', 'all-orders'] as const;
  for (let left = random.between(1, 5); left > 0; left--)
    add(draft, moment(draft), { do: 'look', buyer: random.pick(draft.buyers), at: random.pick(looks) });
}

/** An order, and what may become of it. */
function drawOrder(draft: Draft, atMs: number): void {
  const { random, holdMs } = draft;
  const deed = placeOf(draft);
  const of = add(draft, atMs, deed);
  if (deed.method === 'external' && random.chance(0.75)) drawPayment(draft, of, atMs + random.next() * holdMs * 1.1 + 300);
  if (random.chance(0.2))
    add(draft, atMs + random.next() * random.pick([600, 2_500, 40_000]), {
      do: 'cancel',
      of,
      by: random.chance(0.8) ? 'buyer' : 'operator',
    });
  if (random.chance(0.15)) add(draft, atMs + random.next() * 120_000, { do: 'again', of });
  if (random.chance(0.25)) add(draft, atMs + random.next() * 60_000, { do: 'read', of });
  if (random.chance(0.12)) add(draft, atMs + 2_000 + random.next() * 60_000, { do: 'refund', of, returnUnits: random.chance(0.5) });
}

function drawPayment(draft: Draft, of: string, atMs: number): void {
  const { random } = draft;
  const kind = random.pick([
    'right',
    'right',
    'right',
    'right',
    'twice',
    'wrong-amount',
    'wrong-currency',
    'failed',
    'stranger',
    'badly-signed',
  ] as const);
  add(draft, atMs, { do: 'pay', of, kind });
  if (kind !== 'right' && random.chance(0.6)) add(draft, atMs + random.next() * 10_000, { do: 'pay', of, kind: 'right' });
}

function drawCart(draft: Draft, atMs: number): void {
  const { random, buyers, holdMs } = draft;
  const buyer = random.pick(buyers);
  add(draft, atMs, { do: 'cart', buyer, line: lineOf(draft) });
  if (random.chance(0.5)) add(draft, atMs + random.next() * 3_000, { do: 'cart', buyer, line: lineOf(draft) });
  if (random.chance(0.15)) add(draft, atMs + 3_000 + random.next() * holdMs, { do: 'empty-cart', buyer });
  if (random.chance(0.75)) {
    const of = add(draft, atMs + 1_000 + random.next() * holdMs * 1.2, placeOf(draft, { buyer, lines: 'cart' }));
    if (random.chance(0.3)) drawPayment(draft, of, atMs + holdMs);
    if (random.chance(0.2)) add(draft, atMs + holdMs * 2, { do: 'again', of });
  }
}

const badBodies = (sku: string): readonly { readonly why: string; readonly body: unknown }[] => [
  ...[-1, 0, 1.5, 21, 1e9].map((quantity) => ({ why: `quantity ${quantity}`, body: { items: [{ sku, quantity }] } })),
  { why: 'quantity as text', body: { items: [{ sku, quantity: '1' }] } },
  { why: 'unknown sku', body: { items: [{ sku: 'no-such-item', quantity: 1 }] } },
  { why: 'no items', body: { items: [] } },
  { why: 'seats of a counted item', body: { items: [{ sku, seats: ['A-1'] }] } },
  { why: 'a price of the buyer’s own', body: { items: [{ sku, quantity: 1, priceMinor: 1 }] } },
  {
    why: '21 units on two lines',
    body: {
      items: [
        { sku, quantity: 20 },
        { sku, quantity: 1 },
      ],
    },
  },
];

function drawBad(draft: Draft, atMs: number): void {
  const { random, buyers, items } = draft;
  const counted = items.find(({ units }) => units !== undefined)?.sku ?? 'tee-1';
  add(draft, atMs, { do: 'place-badly', buyer: random.pick(buyers), ...random.pick(badBodies(counted)) });
}

function drawOperating(draft: Draft): void {
  const { random, activeMs } = draft;
  const times = (chance: number, deed: () => Deed, atMs = () => moment(draft)) => {
    if (random.chance(chance)) add(draft, atMs(), deed());
  };
  const late = () => activeMs * (0.6 + random.next() * 0.4);
  times(0.3, () => ({ do: 'pause', forMs: random.between(2, 40) * 1_000 }));
  times(0.35, () => restockOf(draft));
  times(0.2, () => restockOf(draft));
  times(0.3, () => ({ do: 'limit', to: random.between(1, 8) }));
  times(0.25, () => ({ do: 'audit' }));
  times(0.3, () => ({ do: 'reconcile' }));
  times(0.3, () => ({ do: 'redrive' }));
  times(0.3, () => ({ do: 'sweep' }));
  times(0.15, () => ({ do: 'ask-rebuild' }));
  times(0.07, () => ({ do: 'close' }), late);
  times(0.08, () => ({ do: 'call-off' }), late);
}

function drawFaults(draft: Draft): void {
  const { random, activeMs } = draft;
  // Mostly a few faults, so that each meets a system that otherwise works; sometimes all that there are, several times.
  const kinds = random.chance(0.2)
    ? [...faultKinds, ...random.shuffle(faultKinds)]
    : random.shuffle(faultKinds).slice(0, random.between(3, 12));
  for (const kind of kinds) {
    const { lastsMs, chance, timesMax } = plannedFault(kind, random);
    const fromMs = random.next() * activeMs;
    strike(draft, kind, fromMs, fromMs + lastsMs, chance, timesMax);
  }
}

/** Steps between shards that are not taken to their end: left to whoever comes next, and, where nobody does, to the sweeper. */
function drawFaultsOfShards(draft: Draft): void {
  const { random, activeMs } = draft;
  for (let left = random.between(0, 2); left > 0; left--) {
    const fromMs = random.next() * activeMs;
    const lastsMs = random.between(20_000, 200_000);
    strike(draft, 'move-cut-short', fromMs, fromMs + lastsMs, random.pick([0.1, 0.3, 0.8]), random.between(1, 6));
  }
}
