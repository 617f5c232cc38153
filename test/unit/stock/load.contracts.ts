import { bare, type Contract } from './scripts.replies.ts';

/** The scripts that put a sale into Redis. */
export const loadContracts: readonly (readonly [name: string, contract: Contract])[] = [
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
];
