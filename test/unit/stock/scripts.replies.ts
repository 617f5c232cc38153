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

/** Answers that are one word each. */
export const bare = (...words: string[]) => words.map((word) => [[word]] as const);
export const notLoaded = bare('NOT_LOADED');
/** What a script that mends answers to another epoch; and where what it came for has changed. */
export const fence = bare('NOT_LOADED', 'STALE_EPOCH');
export const fenced = bare('NOT_LOADED', 'STALE_EPOCH', 'CHANGED');
export const unitsKeys = 'sale free suspects seats';
export const cartKeys = `${unitsKeys} carts`;
export const unknowns = [
  [['UNKNOWN_SKU', 'tee'], { sku: 'tee' }],
  [['WRONG_KIND', 'tee', 'seated'], { sku: 'tee', kind: 'seated' }],
  [['WRONG_KIND', 'tee', 'counted'], { sku: 'tee', kind: 'counted' }],
  [['UNKNOWN_SEAT', 'hall', 'A-1'], { sku: 'hall', seat: 'A-1' }],
] as const;
export const wrongKind = ['WRONG_KIND', 'tee', 'else'];
export const notOpen = [
  [['NOT_OPEN', 'scheduled'], { state: 'scheduled' }],
  [['NOT_OPEN', 'closed'], { state: 'closed' }],
  [['PAUSED']],
] as const;
export const limit = [['BUYER_LIMIT', 5, '4'], { limit: 5, used: 4 }] as const;
export const soldOut = [['SOLD_OUT', 'tee', 3], { sku: 'tee', available: 3 }] as const;
export const seatTaken = [['SEAT_TAKEN', 'hall', 'A-1,A-2'], { sku: 'hall', seats: ['A-1', 'A-2'] }] as const;
/** Lines as a script writes them, and as they are read. */
export const text = 'tee=1-2;hall:A-1';
export const lines = [
  { sku: 'tee', units: ['1', '2'] },
  { sku: 'hall', units: ['A-1'], seated: true },
];
export const reserved = { bornUs: 7, expiresAtMs: 9, slots: [1, 3], lines };
