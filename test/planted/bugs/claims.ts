import type { Bug } from '../bug.ts';

const writes = 'functions/orders/order.writes.ts';
const claims = 'functions/orders/claim.repository.ts';

/** How an order gets its units: the one transaction, its conditions, and what is made of its refusal. */
export const claimBugs: readonly Bug[] = [
  {
    name: 'unit-row-without-condition',
    harm: 'Two buyers own the same unit as soon as Redis hands it out twice: the later row silently replaces the earlier one.',
    edits: [
      {
        file: writes,
        search: `        ConditionExpression: 'attribute_not_exists(#bucket)',
        ExpressionAttributeNames: { '#bucket': 'bucket' },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
`,
        replace: '',
      },
    ],
    caughtBy: { test: 'faults/order.claims', name: 'gives a unit to one of any number of orders' },
  },
  {
    name: 'allowance-row-without-condition',
    harm: 'A buyer gets past the limit when Redis has forgotten what the buyer has.',
    edits: [
      {
        file: writes,
        search: `        ConditionExpression: 'attribute_not_exists(saleBuyer)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
`,
        replace: '',
      },
    ],
    caughtBy: { test: 'faults/place', name: 'does not let a buyer past their limit' },
  },
  {
    name: 'tombstone-gives-way-to-its-own-birth',
    harm: 'A late write brings the order of a hold to life whose units were given back and may be somebody else’s.',
    edits: [{ file: writes, search: 'tombstone = :true AND bornUs < :born', replace: 'tombstone = :true AND bornUs <= :born' }],
    caughtBy: { test: 'faults/order.claims', name: 'refuses the birth that it ended and every earlier one' },
  },
  {
    name: 'tombstone-of-an-older-birth-wins',
    harm: 'A sweep of an old hold makes room again for the late write of a younger one that another sweep has ended.',
    edits: [
      {
        file: claims,
        search: `(\${isTombstoneToo} AND bornUs < :born)\``,
        replace: `(\${isTombstoneToo} AND (bornUs < :born OR bornUs > :born))\``,
      },
    ],
    caughtBy: { test: 'faults/order.claims', name: 'of an earlier birth does not replace that of a later one' },
  },
  {
    name: 'version-of-the-order-not-exact',
    harm: 'Who read the order earlier writes over what others have made of it since: a paid order expires, an expired one is confirmed.',
    edits: [
      { file: writes, search: "const isThisVersion = 'version = :version';", replace: "const isThisVersion = 'version >= :version';" },
    ],
    caughtBy: { test: 'faults/order.races', name: 'has one end: paid and confirmed, or expired with nothing taken' },
  },
  {
    name: 'allowance-rows-stay-after-the-end',
    harm: 'A buyer whose order expired or was cancelled can never use that allowance again.',
    edits: [
      {
        file: writes,
        search: '      ...order.slots.map((slot) => ({\n        Delete: {',
        replace: '      ...order.slots.slice(1).map((slot) => ({\n        Delete: {',
      },
    ],
    caughtBy: { seeds: 6, breaks: '4 stock is conserved' },
  },
  {
    name: 'units-looked-at-before-the-order',
    harm: 'Of two copies of one request the slower takes its twin’s units for somebody else’s, swaps them, and ends a hold that has an order.',
    edits: [
      { file: claims, search: 'if (ours || orderRefused) {', replace: 'if (orderRefused && result.refusals.length === 1) {' },
      {
        file: 'functions/orders/collision.model.ts',
        search: 'refusals.filter(({ item }) => item?.orderId !== orderId).map(',
        replace: 'refusals.map(',
      },
    ],
    caughtBy: { test: 'faults/order.claims', name: 'reads the order before it calls anything a collision' },
  },
  {
    name: 'totals-not-checked-before-the-claim',
    harm: 'More units are sold than there are, where Redis believes in a larger total than the sale has.',
    edits: [
      {
        file: 'functions/orders/allocate.ts',
        search: 'const neverOnSale = await unitsNeverOnSale(hold.lines);',
        replace: 'const neverOnSale: LineUnits[] = [];',
      },
    ],
    caughtBy: { test: 'faults/place', name: 'does not sell beyond the total that DynamoDB knows' },
  },
  {
    name: 'refused-by-a-remembered-total',
    harm: 'After a restock the containers that were there before refuse the new units, until they are gone.',
    edits: [
      {
        file: 'functions/orders/allocate.ts',
        search: 'return missing.length === 0 ? [] : missingFrom((await ports.sales.fresh(sale.saleId)) ?? sale, missing);',
        replace: 'return missing;',
      },
    ],
    caughtBy: { test: 'faults/place', name: 'sells at once what a restock brought' },
  },
  {
    name: 'hold-given-back-when-an-attempt-fails',
    harm: 'The units of an order whose write was not answered are for sale again, though the order may be there.',
    edits: [
      {
        file: 'functions/orders/place.ts',
        search: "    log.warn('an order is unsettled', { orderId: placing.orderId, error });",
        replace: `    await ports.stock.release(request.saleId, { holdId: placing.holdId, cause: 'tombstone', bornUs: ports.clock.nowMs() * 1000 });
    log.warn('an order is unsettled', { orderId: placing.orderId, error });`,
      },
    ],
    caughtBy: { test: 'faults/place', name: 'leaves the hold alone: the same key finds the order that was written after all' },
  },
  {
    name: 'replay-without-comparing-the-payload',
    harm: 'Whoever uses a key again for something else is told that an order is placed which is not the one that was asked for.',
    edits: [
      {
        file: 'functions/orders/placing.ts',
        search: "    if (order.payloadHash !== payloadHash) return { outcome: 'key-reused' };\n",
        replace: '',
      },
    ],
    caughtBy: { test: 'faults/place', name: 'never gets the units of another payload' },
  },
  {
    name: 'hold-named-without-its-caller',
    harm: 'Two buyers who happen to use the same key meet the same hold: the second is refused, or shown the first one’s order.',
    edits: [{ file: 'functions/shared/ids.ts', search: 'JSON.stringify([caller, saleId, key])', replace: 'JSON.stringify([saleId, key])' }],
    caughtBy: { test: 'faults/place', name: 'belongs to its caller: another buyer with the same key has an order of their own' },
  },
  {
    name: 'replay-shows-the-order-as-it-is-now',
    harm: 'A client that repeats its request after a lost answer gets another answer than the first, and may act on it.',
    edits: [
      {
        file: 'functions/orders/order.model.ts',
        search: `    ...rest,
    ...first,
    status: order.strategy`,
        replace: `    ...rest,
    status: order.strategy`,
      },
    ],
    caughtBy: { test: 'unit/orders/order.model', name: 'shows its first answer to whoever repeats the key' },
  },
  {
    name: 'new-token-for-each-attempt-of-a-transaction',
    harm: 'A transaction that was committed, and whose answer was lost, is refused by itself: the order looks like somebody else’s.',
    edits: [
      {
        file: 'functions/shared/dynamo.ts',
        search: 'await database.transactWrite(command, { abortSignal: deadline });',
        replace: 'await database.transactWrite({ ...command, ClientRequestToken: randomUUID() }, { abortSignal: deadline });',
      },
    ],
    caughtBy: { test: 'unit/shared/dynamo', name: 'whose reply was lost is asked for again under the same token' },
  },
];
