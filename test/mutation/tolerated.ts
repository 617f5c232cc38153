/** A mutant that may survive, by its text and not by its line, and why. */
export interface Tolerated {
  /** A path, or a glob of paths. */
  readonly file: string;
  readonly mutator: string;
  readonly original: string;
  /** Only where it is replaced by this. */
  readonly replacement?: string;
  readonly reason: string;
}

const entries = (
  reason: string,
  file: string,
  all: readonly (readonly [mutator: string, original: string, replacement?: string])[],
): Tolerated[] =>
  all.map(([mutator, original, replacement]) => ({
    file,
    mutator,
    original,
    reason,
    ...(replacement === undefined ? {} : { replacement }),
  }));

const neverUndefined =
  'The compiler asks for a default that is never taken: the list has an element there, or the server always answers with one.';
const boundOfReading = 'A bound against what nobody foresaw: a thousand pages and more would have to be written to meet it.';
const wording = 'Words for people: what they say is not tested, that they are said is.';
const undefinedIsLeftOut = 'A member that is undefined and one that is not there are the same to JSON, and to the database client.';
const spares = 'It only spares work: without it the same comes out, from one more read or one more pass.';
const wholeGroups = 'How many are read at once is decided once more by what reads them; here it only bounds the memory.';

export const tolerated: readonly Tolerated[] = [
  ...entries(neverUndefined, 'functions/**/*.{repository,model,scripts}.ts', [
    ['ArrayDeclaration', '[]', '["Stryker was here"]'],
    ['StringLiteral', "''", '"Stryker was here!"'],
  ]),
  ...entries(neverUndefined, 'functions/orders/collision.model.ts', [['OptionalChaining', 'of[0]?.seated']]),
  ...entries(neverUndefined, 'functions/orders/due.repository.ts', [['OptionalChaining', 'pages[index]?.next']]),
  ...entries(neverUndefined, 'functions/orders/sale-orders.repository.ts', [['OptionalChaining', 'Items.at(-1)?.listKey']]),
  ...entries(undefinedIsLeftOut, 'functions/catalogue/product.repository.ts', [
    ['ConditionalExpression', 'description === undefined', 'false'],
    ['ConditionalExpression', 'imageUrl === undefined', 'false'],
  ]),
  ...entries(undefinedIsLeftOut, 'functions/orders/{order.writes,sale-orders.repository,order-list.repository}.ts', [
    ['ConditionalExpression', 'order.slots[index] === undefined', 'false'],
    ['ConditionalExpression', 'after === undefined', 'false'],
    ['ConditionalExpression', 'below === undefined', 'false'],
  ]),
  ...entries('A scan gives names and values in pairs, so the last name always has its value.', 'functions/stock/*.scripts.ts', [
    ['EqualityOperator', 'index + 1 < found.length', 'index + 1 <= found.length'],
  ]),
  ...entries(undefinedIsLeftOut, 'functions/orders/placement.model.ts', [['ConditionalExpression', 'dueAtMs === undefined', 'false']]),
  ...entries(undefinedIsLeftOut, 'functions/graphql/types.model.ts', [['ConditionalExpression', 'description === undefined', 'false']]),
  ...entries(spares, 'functions/messaging/unpublished.repository.ts', [['ConditionalExpression', 'Items.length === 0', 'false']]),
  ...entries(spares, 'functions/graphql/limits.model.ts', [
    ['CallExpression', 'depths.set(name, depth);'],
    ['CallExpression', 'known.set(name, found);'],
    ['CallExpression', 'costs.set(name, cost);'],
    ['ConditionalExpression', 'known !== undefined', 'false'],
  ]),
  ...entries('A page as long as the longest costs what no length at all costs.', 'functions/graphql/limits.model.ts', [
    ['EqualityOperator', 'asked <= pageLimitMax', 'asked < pageLimitMax'],
  ]),
  ...entries(wording, 'functions/graphql/limits.model.ts', [
    ['StringLiteral', "'Give an idempotencyKey, and the same one when you retry.'"],
    ['ObjectLiteral', '{ nodes: [node] }'],
    ['ArrayDeclaration', '[node]'],
  ]),
  ...entries(wording, 'functions/graphql/schema.model.ts', [
    ['StringLiteral', "'A page of the catalogue.'"],
    ['StringLiteral', "'A product.'"],
    ['StringLiteral', "'A page of the sales, with what is left of each.'"],
    ['StringLiteral', "'A sale with its state and what is left.'"],
    ['StringLiteral', "'An order: one’s own, or to an operator any.'"],
    ['StringLiteral', "'A page of one’s own orders, newest first; to an operator, of all.'"],
    ['StringLiteral', "'One’s own account.'"],
  ]),
  ...entries(wholeGroups, 'functions/operations/audit.repository.ts', [
    ['ConditionalExpression', 'group.length === size'],
    ['EqualityOperator', 'group.length === size'],
    ['ConditionalExpression', 'group.length > 0'],
    ['EqualityOperator', 'group.length > 0'],
  ]),
  ...entries(boundOfReading, 'functions/sales/sale.repository.ts', [
    ['CallExpression', `throw new ReadIncomplete(\`more than \${scanPagesMax} pages of sales\`);`],
    ['ConditionalExpression', '++pages >= scanPagesMax && page.LastEvaluatedKey'],
    ['LogicalOperator', '++pages >= scanPagesMax && page.LastEvaluatedKey'],
    ['ConditionalExpression', '++pages >= scanPagesMax'],
    ['EqualityOperator', '++pages >= scanPagesMax'],
    ['UpdateOperator', '++pages'],
  ]),
  ...entries(boundOfReading, 'functions/stock/*.scripts.ts', [
    ['EqualityOperator', 'page < pagesMax', 'page <= pagesMax'],
    ['UpdateOperator', 'page++', 'page--'],
    ['ConditionalExpression', 'page === pagesMax', 'false'],
    ['CallExpression', `throw new TooMuchToRead(\`the allowances of \${saleId}\`);`],
    ['CallExpression', `throw new TooMuchToRead(\`the suspects of \${saleId}\`);`],
    ['CallExpression', 'throw new TooMuchToRead(list);'],
    ['CallExpression', `throw new TooMuchToRead(\`the seats of \${sku}\`);`],
    ['CallExpression', `throw new TooMuchToRead(\`the free units of \${sku}\`);`],
    ['CallExpression', `throw new TooManyCarts(\`\${key} has more than \${pagesMax} pages\`);`],
    ['CallExpression', `throw new StockTooLarge(\`\${key} has more than \${pagesMax} pages of \${pattern}\`);`],
    ['CallExpression', `throw new StockTooLarge(\`\${key} has more than \${pagesMax} pages of ranges\`);`],
  ]),
  ...entries(boundOfReading, 'functions/stock/rebuild.repository.ts', [
    ['CallExpression', `throw new ReadIncomplete(\`more than \${pagesMax} pages of \${bucket}\`);`],
    ['ConditionalExpression', '++pages >= pagesMax && LastEvaluatedKey'],
    ['LogicalOperator', '++pages >= pagesMax && LastEvaluatedKey'],
    ['ConditionalExpression', '++pages >= pagesMax'],
    ['EqualityOperator', '++pages >= pagesMax'],
    ['UpdateOperator', '++pages'],
  ]),
  ...entries(boundOfReading, 'functions/reconciliation/sale-picture.model.ts', [
    ['ConditionalExpression', 'this.#overdue.size < boundsOfPass.holds'],
    ['EqualityOperator', 'this.#overdue.size < boundsOfPass.holds'],
    ['ConditionalExpression', 'this.#orders.size < boundsOfPass.orders'],
    ['EqualityOperator', 'this.#orders.size < boundsOfPass.orders'],
    ['ConditionalExpression', 'serials.length < boundsOfPass.serials'],
    ['EqualityOperator', 'serials.length < boundsOfPass.serials'],
    ['ConditionalExpression', '++buyers > boundsOfPass.buyers'],
    ['EqualityOperator', '++buyers > boundsOfPass.buyers'],
    ['UpdateOperator', '++buyers'],
  ]),
  ...entries(
    'How large the arrays are made at first: they grow with what comes, or are larger than they need be.',
    'functions/{reconciliation/sale-picture,stock/serial-set}.model.ts',
    [
      ['MethodExpression', 'Math.min(serialMax, Math.max(counters.total, counters.next))'],
      ['MethodExpression', 'Math.max(counters.total, counters.next)'],
      ['ArithmeticOperator', 'size + 2'],
      ['MethodExpression', 'Math.min(expected, serialMax)'],
      ['ConditionalExpression', 'at >= this.#bits.length', 'true'],
      ['MethodExpression', 'Math.min(2 * this.#bits.length, (serialMax >> 3) + 1)'],
      ['ArithmeticOperator', '2 * this.#bits.length'],
      ['ArithmeticOperator', '(serialMax >> 3) + 1'],
    ],
  ),
  ...entries('Serial 0 is in no set, so looking at it as well finds nothing.', 'functions/stock/serial-set.model.ts', [
    ['EqualityOperator', 'serial > 0', 'serial >= 0'],
  ]),
  ...entries(
    'Nobody holds number 0, and what is added up or matched under it is never asked for.',
    'functions/reconciliation/{sale-picture,holds}.model.ts',
    [
      ['ConditionalExpression', 'isOwn', 'true'],
      ['ConditionalExpression', 'number !== nobody', 'true'],
      ['ConditionalExpression', 'hold.slots.length > 0', 'true'],
      ['EqualityOperator', 'hold.slots.length > 0', 'hold.slots.length >= 0'],
      ['StringLiteral', "'ended'"],
      ['EqualityOperator', 'number < this.#ids.length', 'number <= this.#ids.length'],
    ],
  ),
  ...entries(neverUndefined, 'functions/{graphql/limits,operations/dead-letter,operations/seat-drift}.model.ts', [
    ['OptionalChaining', 'variables?.[name]'],
    ['OptionalChaining', 'node.name?.value'],
    ['OptionalChaining', "node.arguments?.find(({ name }) => name.value === 'idempotencyKey')?.value"],
    ['OptionalChaining', 'body?.requestContext'],
    ['OptionalChaining', 'place?.state'],
  ]),
  ...entries(
    'The schema gives these fields one argument, and values of no other kind: a valid document has no other.',
    'functions/graphql/limits.model.ts',
    [
      ['ConditionalExpression', "name.value === 'idempotencyKey'", 'true'],
      ['ConditionalExpression', "name.value === 'limit'", 'true'],
      ['ConditionalExpression', 'value.kind === Kind.INT', 'true'],
      ['ConditionalExpression', 'variable.name.value === name', 'true'],
      ['LogicalOperator', 'node.selectionSet && isCompositeType(inner)'],
      ['BlockStatement', '{ meant = undefined; }'],
      ['ConditionalExpression', '!isList || !isIntrospectionType(parent)', 'false'],
      ['LogicalOperator', '!isList || !isIntrospectionType(parent)'],
    ],
  ),
  ...entries(
    'No argument of the schema is null by itself, and what is null within one was left out before.',
    'functions/graphql/schema.model.ts',
    [['ConditionalExpression', 'value === null', 'false']],
  ),
  ...entries('What is no number is no safe integer either.', 'functions/graphql/types.model.ts', [
    ['ConditionalExpression', "typeof value !== 'number'", 'false'],
  ]),
  ...entries('Orders have twenty units at most, so nobody comes near the bound of a byte.', 'functions/fulfilment/ticket.model.ts', [
    ['CallExpression', `throw new NoTicketFor(\`\${order.orderId} with \${units.length} units\`);`],
    ['ConditionalExpression', 'units.length > 256', 'false'],
    ['EqualityOperator', 'units.length > 256'],
  ]),
  ...entries(
    'The sum of entries is compared with nothing but zero, and those of one movement are its mirror image.',
    'functions/{operations/money-audit,accounts/account}.model.ts',
    [
      ['ArithmeticOperator', 'sum + amountMinor', 'sum - amountMinor'],
      ['ArithmeticOperator', 'total + entry.amountMinor', 'total - entry.amountMinor'],
    ],
  ),
  ...entries('`transfer` makes its two entries itself: the check is there for whoever changes it.', 'functions/accounts/account.model.ts', [
    ['CallExpression', 'assertBalanced(entries);'],
  ]),
  ...entries('An array of ranges has an element wherever the search looks.', 'functions/operations/stock-picture.model.ts', [
    ['BooleanLiteral', 'false', 'true'],
    ['ConditionalExpression', '!range', 'false'],
  ]),
  ...entries(
    'A lower bound of the same kind: one more is read, and nobody is shown it.',
    'functions/{operations/timeline,orders/order-list}.repository.ts',
    [
      ['ArithmeticOperator', 'rowsMax + 1 - rows.length'],
      ['ConditionalExpression', 'after && rows.length <= rowsMax', 'false'],
      ['EqualityOperator', 'rows.length <= rowsMax'],
      ['EqualityOperator', 'round < readsMax'],
      ['EqualityOperator', 'found.length <= limit'],
      ['EqualityOperator', 'a.position < b.position'],
      ['MethodExpression', 'parts .flat() .sort((a, b) => (a.position < b.position ? 1 : -1)) .slice(0, limit)'],
    ],
  ),
  ...entries(
    'Another index gives the same orders, and the filter leaves out the others: it only costs more reads.',
    'functions/orders/order-list.repository.ts',
    [
      ['ConditionalExpression', 'buyerId !== undefined', 'false'],
      ['ConditionalExpression', 'saleId === undefined', 'true'],
    ],
  ),
  ...entries(
    'Without the item that stood in the way it is read by itself, which gives the same.',
    'functions/orders/{order.writes,claim.repository}.ts',
    [['StringLiteral', "'ALL_OLD'"]],
  ),
  ...entries(
    'What is asked of a write is only whether it is about a unit, or a slot, or the order of a claim.',
    'functions/orders/order.writes.ts',
    [
      ['ObjectLiteral', "{ kind: 'outbox' }"],
      ['StringLiteral', "'outbox'"],
      ['ObjectLiteral', "{ kind: 'order' }"],
      ['StringLiteral', "'order'"],
    ],
  ),
  ...entries(
    'A tombstone has its mark either way: it is told by the attribute, and has no keys of an index.',
    'functions/orders/{order,sale-orders}.repository.ts',
    [
      ['ConditionalExpression', 'item.tombstone === true', 'false'],
      ['BooleanLiteral', 'true', 'false'],
      ['MethodExpression', 'stored.map(storedFrom).filter((each): each is Order => !isTombstone(each))'],
    ],
  ),
  ...entries('Only whether it is zero is looked at, and neither of the two is ever negative.', 'functions/orders/order.repository.ts', [
    ['ArithmeticOperator', 'collision.units.length + collision.slots.length'],
  ]),
  ...entries(
    'The types let nobody name a part without a value, and the client leaves out what is undefined.',
    'functions/reconciliation/{report,state}.repository.ts',
    [
      ['ConditionalExpression', 'after === undefined', 'false'],
      ['MethodExpression', 'Object.entries(changes).filter(([, value]) => value !== undefined)'],
      ['ConditionalExpression', 'value !== undefined', 'true'],
    ],
  ),
  ...entries(
    'What is no number compares with nothing, so whatever is undefined is found by the next condition.',
    'functions/stock/stock.records.ts',
    [
      ['LogicalOperator', 'first === undefined || last === undefined'],
      ['ConditionalExpression', 'first === undefined || last === undefined', 'false'],
      ['ConditionalExpression', 'first === undefined', 'false'],
      ['ConditionalExpression', 'last === undefined', 'false'],
      ['LogicalOperator', 'sku === undefined || units === undefined'],
      ['ConditionalExpression', 'sku === undefined', 'false'],
      ['ConditionalExpression', 'units === undefined', 'false'],
      ['StringLiteral', "''", '"Stryker was here!"'],
      ['ArrayDeclaration', '[]', '["Stryker was here"]'],
    ],
  ),
  ...entries(
    'The class of characters before it reaches to the beginning, or what follows it to the end, without the anchor.',
    'functions/stock/stock.records.ts',
    [
      ['Regex', '/^([^=:]+)([=:])(.*)$/'],
      ['Regex', '/^([^|]+)\\|(\\d+)-(\\d+)$/', '/([^|]+)\\|(\\d+)-(\\d+)$/'],
      ['Regex', '/^([^|]+)\\|:(.+)$/'],
    ],
  ),
  ...entries(
    'Whether the slots of a cluster are known is asked where one Redis is, which has none.',
    'functions/{stock/stock.scripts,shared/script}.ts',
    [['ConditionalExpression', 'redis.isCluster']],
  ),
  ...entries('Only holds that are held are ever listed anew.', 'functions/stock/mend.scripts.ts', [
    ['StringLiteral', "'C'"],
    ['StringLiteral', "'E'"],
    ['StringLiteral', "'K'"],
  ]),
  ...entries(boundOfReading, 'functions/stock/cart.scripts.ts', [
    ['ConditionalExpression', 'call < callsMax', 'true'],
    ['EqualityOperator', 'call < callsMax'],
    ['UpdateOperator', 'call++'],
  ]),
  ...entries(wording, 'functions/{stock/stock.scripts,operations/audit.model,reconciliation/order-drift.model}.ts', [
    ['StringLiteral', "'stock.now'"],
    ['StringLiteral', "', '"],
    ['StringLiteral', "'not for sale'"],
  ]),
];
