import {
  bare,
  type Contract,
  limit,
  lines,
  notLoaded,
  notOpen,
  reserved,
  seatTaken,
  soldOut,
  text,
  unitsKeys,
  unknowns,
  wrongKind,
} from './scripts.replies.ts';

const hold = ['H|7|9|payload|ada|5|tee=1', { holdId: 'h', buyerId: 'ada', payloadHash: 'payload', bornUs: 7, expiresAtMs: 9 }] as const;
const sale = ['open', 10, 20, 3, 300, 4, 2];

/** The scripts of a sale's stock: holds, units, seats and the sale itself. */
export const stockContracts: readonly (readonly [name: string, contract: Contract])[] = [
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
];
