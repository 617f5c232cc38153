import { bare, type Contract, notLoaded } from './scripts.replies.ts';

/** The scripts that move units between the shards of a sale. */
export const shardContracts: readonly (readonly [name: string, contract: Contract])[] = [
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
];
