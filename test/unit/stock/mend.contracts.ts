import { bare, type Contract, fence, fenced, unitsKeys } from './scripts.replies.ts';

/** The scripts with which a reconciliation looks and mends. */
export const mendContracts: readonly (readonly [name: string, contract: Contract])[] = [
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
];
