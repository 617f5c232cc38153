import type { IoCall, Verdict } from './machine/contract.ts';
import type { Random } from './random.ts';

// Every fault that is injected, by name, with the row of DESIGN.md's table that it belongs to. Rows that are input or races have no entry
// here: they are counted when they have really happened (see fault-rows.ts). Row 0 is none: it happens, and stands for no row.

/** A fault at a call to the outside: which calls it may strike and what becomes of them. */
interface IoFault {
  readonly at: 'io';
  readonly row: number;
  readonly what: string;
  readonly strikes: (call: IoCall) => boolean;
  readonly verdict: (random: Random) => Verdict;
}

/** A fault of what AWS does between functions, or of a server as a whole; who plays that part asks whether it strikes. */
interface WorldFault {
  readonly at: 'bus' | 'queue' | 'stream' | 'redis' | 'clock';
  readonly row: number;
  readonly what: string;
}

const inOrders = ({ functionName }: IoCall) => functionName === 'orders/place';
const takesUnits = (call: IoCall) => inOrders(call) && /^stock\.(reserve|cart-checkout)$/.test(call.operation);
const claims = (call: IoCall) => inOrders(call) && call.operation === 'TransactWrite';
const charges = ({ functionName, operation }: IoCall) => /^payments\/payment$/.test(functionName) && operation === 'TransactWrite';
const gives = ({ operation, functionName }: IoCall) =>
  /^stock\.(release|acknowledge|mend-follow)$/.test(operation) && !functionName.startsWith('orders/place');
const moves = ({ operation }: IoCall) => /^stock\.shard-(lend|receive|settle)$/.test(operation);
const reply = (random: Random): Verdict => ({ do: 'loseReply', error: random.pick(['timeout', 'reset'] as const) });
const constant = (verdict: Verdict) => () => verdict;

const io = (row: number, what: string, strikes: IoFault['strikes'], verdict: IoFault['verdict']): IoFault => ({
  at: 'io',
  row,
  what,
  strikes,
  verdict,
});
const world = (at: WorldFault['at'], row: number, what: string): WorldFault => ({ at, row, what });

export const faults = {
  'die-before-script': io(1, 'the reserve function dies before its script', takesUnits, constant({ do: 'dieBefore' })),
  'script-reply-lost': io(2, 'the script’s reply is lost', takesUnits, reply),
  'die-after-script': io(3, 'the reserve function dies after its script', takesUnits, constant({ do: 'dieAfter' })),
  'order-reply-lost': io(4, 'the reply of the order’s transaction is lost', claims, reply),
  'die-after-order': io(5, 'the reserve function dies after the order’s transaction', claims, constant({ do: 'dieAfter' })),
  'acknowledge-lost': io(
    5,
    'the acknowledgement does not reach Redis',
    (call) => inOrders(call) && call.operation === 'stock.acknowledge',
    (random) => random.pick([{ do: 'fail', error: 'reset' }, { do: 'fail', error: 'timeout' }, { do: 'dieBefore' }] as const),
  ),
  'event-lost': world('stream', 6, 'the stream never brings an outbox row'),
  'dispatcher-dies': io(
    6,
    'the dispatcher dies',
    ({ functionName }) => functionName === 'messaging/dispatch',
    (random) => random.pick([{ do: 'dieBefore' }, { do: 'dieAfter' }] as const),
  ),
  'bus-refuses-some': world('bus', 7, 'PutEvents takes some entries and not others'),
  'bus-away': io(
    7,
    'PutEvents fails or loses its reply',
    ({ target }) => target === 'bus',
    (random) => random.pick([{ do: 'fail', error: 'unavailable' }, { do: 'fail', error: 'throttled' }, reply(random)] as const),
  ),
  poison: world('queue', 8, 'a message that nobody can read'),
  duplicate: world('queue', 9, 'a message is delivered again'),
  late: world('queue', 9, 'a message comes late, and so out of order'),
  'receive-lost': world('queue', 9, 'a message is received and never handled until it comes again'),
  'die-before-charge': io(10, 'the payment function dies before the charge', charges, constant({ do: 'dieBefore' })),
  'charge-unknown': io(11, 'the charge’s outcome is unknown', charges, (random) =>
    random.pick([reply(random), { do: 'fail', error: 'timeout' }] as const),
  ),
  'die-after-charge': io(12, 'the payment function dies after the charge', charges, constant({ do: 'dieAfter' })),
  'release-lost': io(15, 'the release of an ended order’s hold is lost', gives, (random) =>
    random.pick([{ do: 'fail', error: 'reset' }, reply(random), { do: 'dieBefore' }, { do: 'dieAfter' }] as const),
  ),
  'compensation-dies': io(
    15,
    'compensation dies at the transaction that gives back',
    ({ functionName, operation }) => functionName === 'orders/compensate' && operation === 'TransactWrite',
    (random) => random.pick([{ do: 'dieBefore' }, { do: 'dieAfter' }, reply(random)] as const),
  ),
  'redis-empty': world('redis', 16, 'Redis restarts empty'),
  'redis-behind': world('redis', 17, 'Redis fails over and forgets its last writes'),
  'rebuild-slow': io(
    19,
    'a rebuilder is slow or dies',
    ({ functionName }) => functionName === 'stock/rebuild',
    (random) =>
      random.pick([
        { do: 'delay', ms: random.between(500, 20_000) },
        { do: 'freeze', ms: random.between(500, 45_000) },
        { do: 'dieAfter' },
      ] as const),
  ),
  'database-throttles': io(
    21,
    'DynamoDB throttles',
    ({ target }) => target === 'dynamodb',
    (random) => ({ do: 'fail', error: random.pick(['throttled', 'throttled', 'unavailable', 'conflict'] as const) }),
  ),
  'function-too-slow': io(
    22,
    'a call hangs until the function’s time is up',
    ({ target, functionName }) => (target === 'dynamodb' || target === 'redis') && !functionName.startsWith('stock/'),
    (random) => ({ do: 'freeze', ms: random.between(10_000, 70_000) }),
  ),
  'call-slow': io(
    0,
    'a call takes seconds',
    () => true,
    (random) => ({ do: 'delay', ms: random.between(300, 6_000) }),
  ),
  'clock-off': world('clock', 23, 'a container’s clock is two minutes off'),
  'dead-socket': io(
    24,
    'a container is frozen and its socket dead when it goes on',
    ({ target }) => target === 'redis',
    (random) => ({ do: 'freeze', ms: random.between(1_000, 25_000) }),
  ),
  'restock-reply-lost': io(
    28,
    'the reply of a restock, or of a load’s step, is lost',
    ({ operation, input, functionName }) =>
      /^stock\.(update|add-seats|load-\w+)$/.test(operation) ||
      (functionName === 'api/api' && operation === 'TransactWrite' && writesSale(input)),
    (random) => random.pick([reply(random), reply(random), { do: 'dieAfter' }] as const),
  ),
  'die-anywhere': io(
    0,
    'a function dies somewhere',
    () => true,
    (random) => random.pick([{ do: 'dieBefore' }, { do: 'dieAfter' }] as const),
  ),
  'reply-lost-anywhere': io(0, 'a reply is lost somewhere', () => true, reply),
  'move-cut-short': io(0, 'whoever moves units between shards dies, or hears nothing', moves, (random) =>
    random.pick([{ do: 'dieBefore' }, { do: 'dieAfter' }, { do: 'dieAfter' }, reply(random), { do: 'fail', error: 'reset' }] as const),
  ),
  'redis-away': world('redis', 0, 'nobody reaches Redis for some seconds'),
} as const satisfies Record<string, IoFault | WorldFault>;

/** Whether a transaction writes the item of a sale. */
function writesSale(input: unknown): boolean {
  const { TransactItems = [] } = input as { TransactItems?: readonly Record<string, { TableName?: string }>[] };
  return TransactItems.some((write) => Object.values(write).some(({ TableName }) => TableName === 'sales'));
}

export type FaultKind = keyof typeof faults;
const ofShards: ReadonlySet<FaultKind> = new Set(['move-cut-short']);
/** Those that may strike any sale. */
export const faultKinds = (Object.keys(faults) as FaultKind[]).filter((kind) => !ofShards.has(kind));
export const faultOf = (kind: FaultKind): IoFault | WorldFault => faults[kind];

interface Manner {
  readonly lastsMs: number;
  readonly chance: number;
  readonly timesMax: number;
}

/** How a fault strikes that a seed has drawn: rarely for long, or often for a moment. */
export function plannedFault(kind: FaultKind, random: Random): Manner {
  switch (kind) {
    case 'redis-empty':
    case 'redis-behind':
    case 'redis-away':
      return { lastsMs: 1_000, chance: 1, timesMax: 1 };
    case 'call-slow':
    case 'die-anywhere':
    case 'reply-lost-anywhere':
      return { lastsMs: 120_000, chance: random.pick([0.005, 0.02]), timesMax: random.between(2, 12) };
    case 'function-too-slow':
    case 'dead-socket':
      return { lastsMs: 120_000, chance: 0.03, timesMax: random.between(1, 4) };
    case 'database-throttles':
      return random.chance(0.5)
        ? { lastsMs: random.between(1_000, 12_000), chance: 0.7, timesMax: 400 }
        : { lastsMs: 60_000, chance: 0.05, timesMax: 60 };
    case 'duplicate':
    case 'late':
      return { lastsMs: 240_000, chance: random.pick([0.1, 0.5]), timesMax: 60 };
    case 'poison':
      return { lastsMs: 60_000, chance: 0.2, timesMax: random.between(1, 3) };
    case 'event-lost':
    case 'clock-off':
      return { lastsMs: 120_000, chance: random.pick([0.1, 0.5]), timesMax: 30 };
    default:
      return { lastsMs: random.between(20_000, 200_000), chance: random.pick([0.2, 0.6, 1]), timesMax: random.between(1, 6) };
  }
}
