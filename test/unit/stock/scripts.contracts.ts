/** What a script is called with, and by the words of its Lua file, what it answers: the reply as Lua gives it, and as the wrapper does. */
export interface Contract {
  readonly file: string;
  readonly keys: string;
  readonly args: string;
  readonly each?: string;
  readonly replies: readonly (readonly [reply: readonly unknown[], decoded?: object])[];
  /** Replies that it must not give. */
  readonly wrong?: readonly (readonly unknown[])[];
}

const bare = (...words: string[]) => words.map((word) => [[word]] as const);
const notLoaded = bare('NOT_LOADED');
const fence = bare('NOT_LOADED', 'STALE_EPOCH');
const fenced = bare('NOT_LOADED', 'STALE_EPOCH', 'CHANGED');
const unitsKeys = 'sale free suspects seats';
const cartKeys = `${unitsKeys} carts`;
const unknowns = [
  [['UNKNOWN_SKU', 'tee'], { sku: 'tee' }],
  [['WRONG_KIND', 'tee', 'seated'], { sku: 'tee', kind: 'seated' }],
  [['WRONG_KIND', 'tee', 'counted'], { sku: 'tee', kind: 'counted' }],
  [['UNKNOWN_SEAT', 'hall', 'A-1'], { sku: 'hall', seat: 'A-1' }],
] as const;
const wrongKind = ['WRONG_KIND', 'tee', 'else'];
const notOpen = [[['NOT_OPEN', 'scheduled'], { state: 'scheduled' }], [['NOT_OPEN', 'closed'], { state: 'closed' }], [['PAUSED']]] as const;
const limit = [['BUYER_LIMIT', 5, '4'], { limit: 5, used: 4 }] as const;
const soldOut = [['SOLD_OUT', 'tee', 3], { sku: 'tee', available: 3 }] as const;
const seatTaken = [['SEAT_TAKEN', 'hall', 'A-1,A-2'], { sku: 'hall', seats: ['A-1', 'A-2'] }] as const;
const text = 'tee=1-2;hall:A-1';
const lines = [
  { sku: 'tee', units: ['1', '2'] },
  { sku: 'hall', units: ['A-1'], seated: true },
];
const hold = ['H|7|9|payload|ada|5|tee=1', { holdId: 'h', buyerId: 'ada', payloadHash: 'payload', bornUs: 7, expiresAtMs: 9 }] as const;
const reserved = { bornUs: 7, expiresAtMs: 9, slots: [1, 3], lines };
const sale = ['open', 10, 20, 3, 300, 4, 2];

/** By the names of the definitions. */
export const contracts = new Map<string, Contract>([
  [
    'reserve',
    {
      file: 'reserve',
      keys: 'sale free expiry seats',
      args: 'holdId buyerId payloadHash',
      each: 'sku wanted',
      replies: [
        ...['', 'H', 'A', 'C'].map((state) => [['RESERVED', 7, '9', 5, text, state], { ...reserved, state }] as const),
        ...bare('NOT_LOADED', 'KEY_REUSED', 'ENDED', 'PAUSED'),
        ...unknowns,
        [['NOT_OPEN', 'scheduled', 0], { state: 'scheduled', behind: false }],
        [['NOT_OPEN', 'closed', 1], { state: 'closed', behind: true }],
        [['BUYER_LIMIT', 5, 4, 1], { limit: 5, used: 4, behind: true }],
        [['SOLD_OUT', 'tee', 3, 0], { sku: 'tee', available: 3, behind: false }],
        [['SEAT_TAKEN', 'hall', 'A-1,A-2', 1], { sku: 'hall', seats: ['A-1', 'A-2'], behind: true }],
      ],
      wrong: [wrongKind, ['RESERVED', 7, 9, 5, text, 'E'], ['NOT_OPEN', 'else', 0], ['RESERVED', 7.5, 9, 5, text, '']],
    },
  ],
  [
    'peek',
    {
      file: 'peek',
      keys: 'sale seats',
      args: 'buyerId',
      each: 'sku wanted',
      replies: [[['AVAILABLE', 5, 6], { nowUs: 5, expiresAtMs: 6 }], ...notLoaded, ...unknowns, ...notOpen, limit, soldOut, seatTaken],
      wrong: [wrongKind, ['NOT_OPEN', 'else']],
    },
  ],
  [
    'acknowledge',
    {
      file: 'acknowledge',
      keys: unitsKeys,
      args: 'holdId buyerId payloadHash bornUs expiresAtMs slots orderState',
      each: 'sku units',
      replies: bare('ACKNOWLEDGED', 'RELEASED', 'ALREADY_ENDED', 'NOT_LOADED'),
    },
  ],
  [
    'confirm',
    {
      file: 'confirm',
      keys: 'sale',
      args: 'holdId',
      replies: bare('CONFIRMED', 'ALREADY_CONFIRMED', 'NOT_ACKNOWLEDGED', 'ALREADY_ENDED', 'UNKNOWN_HOLD', 'NOT_LOADED'),
    },
  ],
  [
    'release',
    {
      file: 'release',
      keys: unitsKeys,
      args: 'holdId cause bornUs',
      replies: [[['RELEASED', text], { lines }], ...bare('ALREADY_ENDED', 'ORDER_EXISTS', 'UNKNOWN_HOLD', 'NOT_LOADED')],
    },
  ],
  [
    'swap',
    {
      file: 'swap',
      keys: unitsKeys,
      args: 'holdId bornUs',
      each: 'sku wanted owned',
      replies: [
        [['SWAPPED', 7, 9, 5, text], reserved],
        soldOut,
        seatTaken,
        ...bare('UNKNOWN_HOLD', 'ORDER_EXISTS', 'ALREADY_ENDED', 'NOT_LOADED'),
      ],
    },
  ],
  [
    'takeExpired',
    {
      file: 'take-expired',
      keys: 'sale expiry undecided',
      args: 'limit retryMs',
      replies: [
        [['DUE', 100, 0], { nowMs: 100, more: false, holds: [] }],
        [
          ['DUE', 100, 1, 'h', hold[0], 'i', 'A|8|9|other|bob|0|'],
          {
            nowMs: 100,
            more: true,
            holds: [
              { ...hold[1], lines: [{ sku: 'tee', units: ['1'] }], slots: [1, 3], state: 'held' },
              { holdId: 'i', buyerId: 'bob', payloadHash: 'other', bornUs: 8, expiresAtMs: 9, lines: [], slots: [], state: 'acknowledged' },
            ],
          },
        ],
        ...notLoaded,
      ],
      wrong: [
        ['DUE', 100],
        ['DUE', 100, 1, 'h'],
      ],
    },
  ],
  [
    'suspects',
    {
      file: 'suspects',
      keys: 'sale suspects',
      args: 'limit afterSku afterUnit',
      replies: [[['PAGE', text], { lines }], [['PAGE', ''], { lines: [] }], ...notLoaded],
    },
  ],
  [
    'returnSuspects',
    { file: 'return-suspects', keys: unitsKeys, args: '', each: 'sku units', replies: [[['RETURNED', 2], { count: 2 }], ...notLoaded] },
  ],
  [
    'mendAllowance',
    {
      file: 'mend-allowance',
      keys: 'sale',
      args: 'holdId bornUs usedSlots',
      replies: [[['MENDED', 6], { slots: [2, 3] }], limit, ...bare('UNKNOWN_HOLD', 'ORDER_EXISTS', 'ALREADY_ENDED', 'NOT_LOADED')],
    },
  ],
  [
    'read',
    {
      file: 'read',
      keys: 'sale',
      args: '',
      replies: [
        ...['open', 'paused', 'closed', 'cancelled'].map((control) => {
          const fields = { nowMs: 1, control, opensAtMs: 10, closesAtMs: 20, limit: 3, holdMs: 300, version: 4, epoch: 2 };
          return [['READ', 1, control, ...sale.slice(1)], { ...fields, items: [] }] as const;
        }),
        [
          ['READ', 1, ...sale, 'tee', 'counted', 9, 5, 4, 'hall', 'seated', 2, 1, 1],
          {
            nowMs: 1,
            control: 'open',
            opensAtMs: 10,
            closesAtMs: 20,
            limit: 3,
            holdMs: 300,
            version: 4,
            epoch: 2,
            items: [
              { sku: 'tee', kind: 'counted', total: 9, available: 5, given: 4 },
              { sku: 'hall', kind: 'seated', total: 2, available: 1, given: 1 },
            ],
          },
        ],
        ...notLoaded,
      ],
      wrong: [
        ['READ', 1, 'else', ...sale.slice(1)],
        ['READ', 1, ...sale, 'tee', 'counted', 9, 5],
        ['READ', 1, ...sale, 'tee', 'else', 9, 5, 4],
      ],
    },
  ],
  [
    'update',
    {
      file: 'update',
      keys: 'sale',
      args: 'version control opensAtMs closesAtMs limit holdMs',
      each: 'sku total',
      replies: bare('UPDATED', 'UP_TO_DATE', 'NOT_LOADED'),
    },
  ],
  [
    'closedSince',
    { file: 'closed-since', keys: 'sale', args: '', replies: [[['CLOSED', 5], { sinceMs: 5 }], ...bare('SELLING', 'NOT_LOADED')] },
  ],
  ['addSeats', { file: 'add-seats', keys: 'sale seats', args: 'sku seats', replies: [[['ADDED', 5], { count: 5 }], ...notLoaded] }],
  [
    'seatStates',
    {
      file: 'seat-states',
      keys: 'sale seats',
      args: 'sku seats',
      replies: [[['STATES', 'free', 'held', 'sold', 'unknown'], { states: ['free', 'held', 'sold', 'unknown'] }], ...notLoaded],
      wrong: [['STATES', 'else']],
    },
  ],
  [
    'setLine',
    {
      file: 'cart-set',
      keys: cartKeys,
      args: 'cartId buyerId sku wanted',
      replies: [
        [['CART', 9, text], { expiresAtMs: 9, lines }],
        ...bare('NOT_LOADED', 'CART_FULL'),
        ...unknowns,
        ...notOpen,
        limit,
        soldOut,
        seatTaken,
      ],
      wrong: [wrongKind, ['NOT_OPEN', 'else']],
    },
  ],
  [
    'drop',
    { file: 'cart-drop', keys: cartKeys, args: 'cartId sku', replies: [[['CART', 0, ''], { expiresAtMs: 0, lines: [] }], ...notLoaded] },
  ],
  [
    'readCart',
    { file: 'cart-read', keys: cartKeys, args: 'cartId', replies: [[['CART', 9, text], { expiresAtMs: 9, lines }], ...notLoaded] },
  ],
  [
    'checkout',
    {
      file: 'cart-checkout',
      keys: `${cartKeys} expiry`,
      args: 'holdId buyerId payloadHash cartId',
      replies: [
        ...['', 'H', 'A', 'C'].map((state) => [['RESERVED', 7, 9, 5, text, state, text], { ...reserved, state, wanted: lines }] as const),
        ...bare('NOT_LOADED', 'KEY_REUSED', 'ENDED', 'CART_EMPTY', 'CART_EXPIRED'),
        ...notOpen,
        limit,
        seatTaken,
      ],
      wrong: [
        ['RESERVED', 7, 9, 5, text, 'E', text],
        ['NOT_OPEN', 'else'],
      ],
    },
  ],
  [
    'giveBack',
    {
      file: 'cart-return',
      keys: cartKeys,
      args: 'holdId bornUs cartId',
      replies: [
        [['RETURNED', text], { lines }],
        [['RELEASED', text], { lines }],
        ...bare('ALREADY_ENDED', 'ORDER_EXISTS', 'UNKNOWN_HOLD', 'NOT_LOADED'),
      ],
    },
  ],
  [
    'expire',
    {
      file: 'cart-expire',
      keys: cartKeys,
      args: 'limit',
      replies: [[['EXPIRED', 3, 1], { count: 3, more: true }], [['EXPIRED', 3, 0], { count: 3, more: false }], ...notLoaded],
    },
  ],
  [
    'track',
    { file: 'cart-track', keys: 'sale carts', args: 'cartId', replies: bare('TRACKED', 'ALREADY_TRACKED', 'NO_CART', 'NOT_LOADED') },
  ],
  [
    'loadBegin',
    {
      file: 'load-begin',
      keys: 'sale free suspects expiry undecided seats carts chunks',
      args: 'epoch',
      replies: bare('BEGUN', 'ALREADY_LOADED', 'STALE_EPOCH'),
    },
  ],
  [
    'loadUnits',
    {
      file: 'load-units',
      keys: 'sale seats chunks',
      args: 'epoch chunk holdMs',
      each: 'sku kind unit state holdId buyerId slot atMs',
      replies: bare('TAKEN', 'STALE_EPOCH'),
    },
  ],
  [
    'loadSeats',
    { file: 'load-seats', keys: 'sale seats chunks', args: 'epoch chunk sku', each: 'seat', replies: bare('TAKEN', 'STALE_EPOCH') },
  ],
  [
    'loadFree',
    { file: 'load-free', keys: 'sale free chunks', args: 'epoch chunk', each: 'sku first last', replies: bare('TAKEN', 'STALE_EPOCH') },
  ],
  [
    'loadPublish',
    {
      file: 'load-publish',
      keys: 'sale chunks',
      args: 'epoch version control opensAtMs closesAtMs limit holdMs chunks behind',
      each: 'sku kind total next free',
      replies: bare('LOADED', 'ALREADY_LOADED', 'STALE_EPOCH', 'INCOMPLETE', 'STALE_VERSION'),
    },
  ],
  [
    'look',
    {
      file: 'mend-look',
      keys: unitsKeys,
      args: 'epoch holdId buyerId',
      each: 'sku units',
      replies: [
        [['SEEN', 'record', 5], { record: 'record', slots: [1, 3], places: [] }],
        [['SEEN', '', 0, 'fa', '!'], { record: '', slots: [], places: ['fa', '!'] }],
        ...fence,
      ],
      wrong: [['CHANGED']],
    },
  ],
  [
    'follow',
    {
      file: 'acknowledge',
      keys: unitsKeys,
      args: 'epoch holdId buyerId payloadHash bornUs expiresAtMs slots orderState',
      each: 'sku units',
      replies: [...bare('ACKNOWLEDGED', 'RELEASED', 'ALREADY_ENDED'), ...fence],
    },
  ],
  [
    'keep',
    { file: 'mend-keep', keys: unitsKeys, args: 'epoch holdId', each: 'sku units', replies: [[['KEPT', 2], { count: 2 }], ...fenced] },
  ],
  [
    'end',
    {
      file: 'mend-end',
      keys: unitsKeys,
      args: 'epoch holdId bornUs slots',
      each: 'sku units',
      replies: [[['ENDED', 2], { count: 2 }], ...fenced],
    },
  ],
  [
    'mark',
    {
      file: 'mend-mark',
      keys: 'sale',
      args: 'epoch holdId buyerId payloadHash bornUs expiresAtMs',
      replies: [...bare('MARKED'), ...fenced],
    },
  ],
  [
    'expiry',
    { file: 'mend-expiry', keys: 'sale expiry undecided', args: 'epoch holdId bornUs state', replies: [...bare('LISTED'), ...fenced] },
  ],
  [
    'watch',
    { file: 'mend-watch', keys: 'sale free suspects', args: 'epoch token', each: 'subject what', replies: [...bare('WATCHED'), ...fence] },
  ],
  [
    'free',
    {
      file: 'mend-free',
      keys: 'sale free suspects',
      args: 'epoch token',
      each: 'subject what',
      replies: [[['FREED', 2, 1], { units: 2, slots: 1 }], ...fence],
    },
  ],
  [
    'unwatch',
    {
      file: 'mend-unwatch',
      keys: 'sale',
      args: 'epoch token',
      each: 'sku',
      replies: [[['LEFT', 'tee=1-2'], { lines: [{ sku: 'tee', units: ['1', '2'] }] }], [['LEFT', ''], { lines: [] }], ...fence],
    },
  ],
  [
    'lend',
    {
      file: 'shard-lend',
      keys: 'sale free',
      args: 'to sku missing',
      replies: [[['LENT', '7', 'tee', '1-2'], { seq: 7, sku: 'tee', units: '1-2' }], ...bare('DRY'), ...notLoaded],
      wrong: [['LENT', '7', 'tee']],
    },
  ],
  [
    'receive',
    {
      file: 'shard-receive',
      keys: 'sale free suspects',
      args: 'from seq sku units',
      replies: [[['RECEIVED', 2], { count: 2 }], ...bare('ALREADY_RECEIVED', 'NOT_YET'), ...notLoaded],
    },
  ],
  ['settle', { file: 'shard-settle', keys: 'sale', args: 'to seq', replies: [...bare('SETTLED', 'NOT_PENDING'), ...notLoaded] }],
  [
    'supply',
    {
      file: 'shard-supply',
      keys: 'sale free suspects',
      args: 'sku after total',
      each: 'first last',
      replies: [[['SUPPLIED', 2], { count: 2 }], ...bare('CHANGED'), ...notLoaded],
    },
  ],
  [
    'dropUnits',
    {
      file: 'shard-drop',
      keys: 'sale free suspects',
      args: '',
      each: 'sku units',
      replies: [[['DROPPED', 2], { count: 2 }], ...notLoaded],
    },
  ],
  [
    'seat',
    { file: 'mend-seat', keys: 'sale suspects seats', args: 'epoch sku seat owner', replies: [...bare('FREED', 'LISTED'), ...fenced] },
  ],
  [
    'beginCount',
    {
      file: 'mend-count-begin',
      keys: 'sale',
      args: 'epoch sku token',
      replies: [
        [['COUNTING', 'seated', 4, 3], { seated: true, total: 4, free: 3 }],
        [['COUNTING', 'counted', 4, 3], { seated: false, total: 4, free: 3 }],
        ...fence,
      ],
      wrong: [['COUNTING', 'else', 4, 3]],
    },
  ],
  [
    'endCount',
    {
      file: 'mend-count',
      keys: 'sale',
      args: 'epoch sku token total free',
      replies: [[['COUNTED', 4, 3], { before: 4, after: 3 }], ...fenced],
    },
  ],
  ['behind', { file: 'mend-behind', keys: 'sale', args: 'epoch verb token', replies: [...bare('DONE'), ...fenced] }],
  [
    'saleFields',
    {
      file: 'mend-sale',
      keys: 'sale',
      args: 'epoch version control opensAtMs closesAtMs limit holdMs',
      each: 'sku total',
      replies: [...bare('MENDED'), ...fenced],
    },
  ],
]);
