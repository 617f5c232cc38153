// biome-ignore-all lint/suspicious/noTemplateCurlyInString: patches are pieces of source text.
import type { Bug } from '../bug.ts';

const model = 'functions/orders/order.model.ts';
const transitions = 'functions/orders/order.transitions.model.ts';
const sweep = 'functions/orders/sweep.ts';

/** How an order moves to its end, and who sees to it. */
export const orderBugs: readonly Bug[] = [
  {
    name: 'captured-before-confirmed',
    harm: 'Money is taken of an order whose units are not confirmed yet, and stays taken when it never is.',
    edits: [
      {
        file: transitions,
        search: `    { payment: { ...order.payment, state: 'authorised' } },
    { events: ['PaymentAuthorised'], movements: ['authorise'] },`,
        replace: `    { payment: { ...order.payment, state: 'captured' } },
    { events: ['PaymentAuthorised', 'PaymentCaptured'], movements: ['authorise', 'capture'] },`,
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'can be cancelled until it is fulfilled, and a second cancel changes nothing' },
  },
  {
    name: 'captured-twice-by-a-duplicate',
    harm: 'An event that comes twice takes the money out of escrow twice, or blocks its queue for ever.',
    edits: [
      {
        file: transitions,
        search: "if (order.payment.state !== 'authorised') return stay('nothing-authorised');",
        replace: "if (order.payment.state === 'none') return stay('nothing-authorised');",
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'never takes money twice, nor returns what it did not take' },
  },
  {
    name: 'fulfilled-before-the-money-is-there',
    harm: 'A ticket is handed out whose money was only set aside.',
    edits: [{ file: transitions, search: "  if (order.payment.state !== 'captured') return stay('not-captured');\n", replace: '' }],
    caughtBy: { test: 'unit/orders/order.model', name: 'is fulfilled only with captured money' },
  },
  {
    name: 'authorised-order-expires',
    harm: 'A buyer who has paid in time loses the units, and the money stays set aside.',
    edits: [{ file: transitions, search: "  if (!awaitsItsPayment(order)) return stay('paid');\n", replace: '' }],
    caughtBy: { test: 'unit/orders/order.model', name: 'expires at its time and its grace, not before, and not once it is paid' },
  },
  {
    name: 'expired-without-a-grace',
    harm: 'Where Redis’ clock steps at a failover, orders expire before the time that their buyers were told.',
    edits: [
      {
        file: transitions,
        search: 'if (nowMs < order.holdExpiresAtMs + expiryGraceMs)',
        replace: 'if (nowMs < order.holdExpiresAtMs)',
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'expires at its time and its grace, not before' },
  },
  {
    name: 'cancelled-without-returning-what-was-set-aside',
    harm: 'A buyer cancels before the confirmation, and the money stays in escrow for ever.',
    edits: [
      {
        file: transitions,
        search: "units: takenBack?.units ?? 'free', ...(authorised ? { movements: ['void'] as const } : {}) },",
        replace: "units: takenBack?.units ?? 'free' },",
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'never takes money twice, nor returns what it did not take' },
  },
  {
    name: 'due-no-longer-while-redis-owes-the-release',
    harm: 'An order whose release was lost leaves the sweeper’s list: its units are sold to nobody until a reconciliation.',
    edits: [
      {
        file: model,
        search: "if (hasEnded(order) && order.stock === 'released' && !owesMoney(order)) return undefined;",
        replace: 'if (hasEnded(order) && !owesMoney(order)) return undefined;',
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'counts every transition in its version and stays due until nothing is owed' },
  },
  {
    name: 'not-loaded-counts-as-released',
    harm: 'While Redis has lost the sale, ended orders are ticked off: after the rebuild nobody gives their holds back.',
    edits: [
      {
        file: 'functions/orders/compensate.ts',
        search: "    if (outcome === 'NOT_LOADED') throw new StockAway(`${ended.saleId} is not loaded`);\n",
        replace: '    void outcome;\n',
      },
    ],
    caughtBy: { test: 'faults/refund', name: 'has lost the sale does not hold up the money, and hears of the end when it is back' },
  },
  {
    name: 'hold-ended-without-a-tombstone',
    harm: 'An order that is written just after the sweeper looked for it owns units that are for sale again.',
    edits: [
      {
        file: sweep,
        search: `  const ended = await claims.tombstone(hold, orderIdOf(hold.holdId), nowMs);
  if (ended.outcome === 'order-exists') {`,
        replace: `  const found = await orders.get(orderIdOf(hold.holdId));
  const ended = found ? { outcome: 'order-exists' as const, order: found } : await Promise.resolve({ outcome: 'none' as const, claims });
  if (ended.outcome === 'order-exists') {`,
      },
    ],
    caughtBy: { test: 'faults/sweep', name: 'returns its unit within one sweep, once, and a late write of its order fails' },
  },
  {
    name: 'released-before-expired',
    harm: 'A buyer who pays at the last moment wins the order, and its units are for sale nevertheless.',
    edits: [
      {
        file: sweep,
        search: '        const left = await advance(order, steps, () => nowMs);',
        replace: `        const { saleId, holdId, bornUs } = order;
        if (nextStep(order, nowMs) === 'expire') await ports.stock.release(saleId, { holdId, bornUs, cause: 'order' });
        const left = await advance(order, steps, () => nowMs);`,
      },
      {
        file: sweep,
        search: 'import { hasEnded, isPaidAndPending, type Order,',
        replace: 'import { hasEnded, isPaidAndPending, nextStep, type Order,',
      },
    ],
    caughtBy: { test: 'faults/sweep', name: 'keeps its hold: Redis hears of an end once it is written, and not before' },
  },
  {
    name: 'waiting-order-not-told-that-its-hold-is-over',
    harm: 'A paid order gets the units of a hold that the sweeper gives back at the same moment: they are sold to it and to others.',
    edits: [
      {
        file: sweep,
        search: 'const { order } = await takeStep(ended.order, orders, (current) => disown(current, hold.bornUs, nowMs));',
        replace: 'const { order } = ended;',
      },
    ],
    caughtBy: { test: 'faults/saga.getting-units', name: 'ends the order’s version before its hold: the slow one loses there' },
  },
  {
    name: 'late-money-not-told-that-its-hold-is-over',
    harm: 'Money that came after the expiry buys units which the sweeper gives back at the same moment.',
    edits: [
      {
        file: model,
        search: "order.status === 'PENDING' || order.late !== undefined;",
        replace: "order.status === 'PENDING';",
      },
    ],
    caughtBy: { test: 'faults/saga.late-money', name: 'loses against the sweeper that gives its hold back' },
  },
  {
    name: 'hold-of-the-disowned-birth-accepted',
    harm: 'A slow copy of the allocation commits exactly the hold that was given back.',
    edits: [{ file: model, search: 'bornUs <= disownedBornUs;', replace: 'bornUs < disownedBornUs;' }],
    caughtBy: { test: 'unit/orders/order.model', name: 'gets no hold that was given back, whatever version it is seen at' },
  },
  {
    name: 'suspects-returned-without-looking-at-their-rows',
    harm: 'Units that orders own are for sale again and again: each next buyer pays with a retry, and the figures are wrong.',
    edits: [
      {
        file: sweep,
        search: 'const owners = await ports.claims.owners(sale.saleId, lines);',
        replace: 'const owners = (await ports.claims.owners(sale.saleId, lines)).slice(0, 0);',
      },
    ],
    caughtBy: { test: 'faults/sweep', name: 'returns to the stock when no order owns it, and stays with the order that does' },
  },
  {
    name: 'sweeper-goes-by-its-own-clock',
    harm: 'A sweeper whose clock is ahead expires orders whose buyers have minutes left.',
    edits: [{ file: sweep, search: 'const startMs = await ports.stock.nowMs();', replace: 'const startMs = Date.now();' }],
    caughtBy: { test: 'faults/sweep', name: 'every order still reaches its end: paid and fulfilled, declined, or expired' },
  },
  {
    name: 'retired-units-go-back-on-sale',
    harm: 'A seat whose ticket was used and refunded is sold once more.',
    edits: [
      {
        file: 'functions/orders/placement.model.ts',
        search: "if (hasEnded(order)) return retiresUnits(order) ? 'retired' : 'ended';",
        replace: "if (hasEnded(order)) return 'ended';",
      },
    ],
    caughtBy: { test: 'faults/refund', name: 'has forgotten the hold of a retired order sells its units to nobody' },
  },
  {
    name: 'refused-by-a-redis-that-nobody-looked-at',
    harm: 'After a failover, until the sweeper notices, a winner’s repeat is told that everything is sold out.',
    edits: [
      {
        file: 'functions/orders/place.wiring.ts',
        search: 'isCertain: certainty({ watch, connection: connectionName(redis) }),',
        replace: 'isCertain: async () => true || certainty({ watch, connection: connectionName(redis) }),',
      },
    ],
    caughtBy: { seeds: 28, breaks: '2 nothing acknowledged is lost' },
  },
];
