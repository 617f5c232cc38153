// biome-ignore-all lint/suspicious/noTemplateCurlyInString: patches are pieces of source text.
import type { Bug } from '../bug.ts';

const accounts = 'functions/accounts/account.writes.ts';
const webhook = 'functions/payments/webhook.model.ts';
const transitions = 'functions/orders/order.transitions.model.ts';

/** Accounts, the ledger, and payments from outside. */
export const moneyBugs: readonly Bug[] = [
  {
    name: 'movement-with-one-entry',
    harm: 'Money appears in the ledger that nobody gave: the books do not balance.',
    edits: [
      {
        file: 'functions/accounts/account.model.ts',
        search: `    { account: from, amountMinor: minus(amountMinor) },
    { account: to, amountMinor },
  ];
  assertBalanced(entries);
`,
        replace: '    { account: to, amountMinor },\n  ];\n',
      },
    ],
    caughtBy: { test: 'unit/accounts/ledger', name: 'has movements whose entries sum to zero, each with exactly two sides' },
  },
  {
    name: 'account-may-be-overdrawn',
    harm: 'A buyer orders for more than there is in the account.',
    edits: [
      {
        file: accounts,
        search: "[exists, sameCurrency, hasEnough].join(' AND ')",
        replace: "[exists, sameCurrency, `(${hasEnough} OR attribute_exists(userId))`].join(' AND ')",
      },
    ],
    caughtBy: {
      test: 'unit/accounts/accounts',
      name: 'are refused at the account when it has too little, holds another currency, or is not there',
    },
  },
  {
    name: 'credit-over-a-balance-that-has-changed',
    harm: 'A credit that races an order writes the old balance back: the buyer is given the money of the order.',
    edits: [
      {
        file: accounts,
        search: `    ConditionExpression: '#version = :read',
    ExpressionAttributeNames: { '#balance': names['#balance'], '#version': names['#version'] },
    ExpressionAttributeValues: { ':balance': balanceMinor, ':read': account.version, ':one': 1 },`,
        replace: `    ExpressionAttributeNames: { '#balance': names['#balance'], '#version': names['#version'] },
    ExpressionAttributeValues: { ':balance': balanceMinor, ':one': 1 },`,
      },
    ],
    caughtBy: { test: 'unit/accounts/accounts', name: 'loses nothing beside others at the same moment' },
  },
  {
    name: 'movement-may-happen-twice',
    harm: 'A refund that is driven twice is booked twice, under a key that is new each time.',
    edits: [
      {
        file: accounts,
        search: '  movementEntryOf(kind, outside === undefined ? orderId : `${orderId}#${outside.paymentId}`);',
        replace: '  movementEntryOf(kind, outside === undefined ? orderId : `${orderId}#${outside.paymentId}#${Date.now()}`);',
      },
      {
        file: 'functions/payments/take-payment.ts',
        search:
          'const moved = await orders.transition(order, transition, [payments.entry({ ...payment, state, webhookId, atMs: nowMs })]);',
        replace:
          "const moved = await orders.transition(order, transition, state === 'returned' ? [] : [payments.entry({ ...payment, state, webhookId, atMs: nowMs })]);",
      },
    ],
    caughtBy: { test: 'faults/payments', name: 'that was wrong is refunded, the right one follows, an operator refunds' },
  },
  {
    name: 'late-money-said-to-be-refunded-and-kept',
    harm: 'A buyer who paid after the expiry is told that the money is on its way back, and it stays in escrow.',
    edits: [
      {
        file: transitions,
        search: "return step(previous, nowMs, {}, { events: ['PaymentRefunded'], movements: ['return'], returned });",
        replace: "return step(previous, nowMs, {}, { events: ['PaymentRefunded'], returned });",
      },
    ],
    caughtBy: { test: 'faults/payments', name: 'goes back, once, when others have the units' },
  },
  {
    name: 'late-money-taken-before-the-former-stock-is-released',
    harm: 'Two holds of one order are at work at once: the release of the first gives back units of the second, or its allowance.',
    edits: [
      { file: transitions, search: "  if (order.stock !== 'released') return stay('not-released');\n", replace: '' },
      {
        file: 'functions/orders/reclaim-order.ts',
        search: "now.late?.paymentId === late.paymentId && now.stock === 'released';",
        replace: 'now.late?.paymentId === late.paymentId;',
      },
    ],
    caughtBy: { test: 'faults/saga.late-money', name: 'waits until what the order had is given back' },
  },
  {
    name: 'payment-of-another-amount-pays',
    harm: 'Whoever pays a cent has the order.',
    edits: [
      {
        file: 'functions/payments/payment.model.ts',
        search: 'payment.amountMinor === order.totalMinor && payment.currency === order.currency;',
        replace: 'payment.currency === order.currency;',
      },
    ],
    caughtBy: { test: 'faults/payments', name: 'is too little confirms nothing and goes back as it came' },
  },
  {
    name: 'failure-told-after-the-success-ends-the-order',
    harm: 'A provider’s messages cross, and a buyer who has paid loses the order.',
    edits: [
      { file: 'functions/payments/take-payment.ts', search: '  if (await payments.get(payment)) return;\n', replace: '' },
      {
        file: transitions,
        search: `export function decline(order: Order, nowMs: number): Decision<'not-awaiting-payment'> {
  if (!awaitsItsPayment(order)) return stay('not-awaiting-payment');`,
        replace: `export function decline(order: Order, nowMs: number): Decision<'not-awaiting-payment'> {
  if (order.status !== 'RESERVED' && order.status !== 'PENDING') return stay('not-awaiting-payment');`,
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'never takes money twice, nor returns what it did not take' },
  },
  {
    name: 'webhook-without-a-good-signature',
    harm: 'Anybody can say that an order is paid.',
    edits: [
      {
        file: webhook,
        search: "return matches.includes(true) ? 'genuine' : 'forged';",
        replace: "return matches.length > 0 ? 'genuine' : 'forged';",
      },
    ],
    caughtBy: { test: 'unit/payments/webhook.model', name: 'is good by any of the known secrets, also as one of several, and by no other' },
  },
  {
    name: 'webhook-of-any-time',
    harm: 'A webhook that was listened to once can be sent again for ever.',
    edits: [{ file: webhook, search: "  if (!isInTime) return 'out-of-time';\n", replace: '' }],
    caughtBy: { test: 'unit/payments/webhook.model', name: 'counts for 300 seconds, before and after its time' },
  },
];
