import {
  bare,
  type Contract,
  cartKeys,
  limit,
  lines,
  notLoaded,
  notOpen,
  reserved,
  seatTaken,
  soldOut,
  text,
  unknowns,
  wrongKind,
} from './scripts.replies.ts';

/** The scripts of carts. */
export const cartContracts: readonly (readonly [name: string, contract: Contract])[] = [
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
];
