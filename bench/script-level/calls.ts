import * as scripts from '../../functions/stock/stock.definitions.ts';
import type { Hold } from '../../functions/stock/stock.model.ts';
import { type Stock, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { bareScript, digestOf, emptyScript } from '../lib/bare-script.ts';
import { loadSale, newHoldReply } from '../lib/load-sale.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import { encode } from '../lib/resp.ts';
import { glanceEncoder, reserveEncoder, wordsOf } from '../lib/stock-calls.ts';

/** What calls are prepared on. */
export type CalledRedis = Pick<BenchRedis, 'url' | 'port' | 'admin'>;

/** One thing to measure: on an empty Redis, `prepare` makes what it needs and gives the requests. */
export interface CallKind {
  readonly what: string;
  /** As `INFO commandstats` has it. */
  readonly command: string;
  /** How every answer begins. */
  readonly reply: string;
  readonly ours?: boolean;
  /** Where each call needs something of its own that takes time to make. */
  readonly callsMax?: number;
  prepare(redis: CalledRedis, count: number): Promise<readonly string[]>;
}

/** Names that others refer to. */
export const names = {
  decr: 'DECR',
  empty: 'empty script (return 1)',
  bare: 'bare check-and-increment script',
  newHold: 'reserve: a new hold of 1 unit',
  soldOut: 'reserve: refused, sold out, by the script',
  glance: 'reserve: refused, sold out, at a glance',
} as const;

const always = (count: number, request: string): string[] => Array.from({ length: count }, () => request);

const plain: CallKind[] = [
  { what: 'PING', command: 'ping', reply: '+PONG', prepare: async (_, count) => always(count, encode(['PING'])) },
  {
    what: 'GET',
    command: 'get',
    reply: '1000000',
    async prepare({ admin }, count) {
      await admin.set('stock', 1_000_000);
      return always(count, encode(['GET', 'stock']));
    },
  },
  {
    what: names.decr,
    command: 'decr',
    reply: ':',
    async prepare({ admin }, count) {
      await admin.set('stock', 10_000_000);
      return always(count, encode(['DECR', 'stock']));
    },
  },
  {
    what: names.empty,
    command: 'evalsha',
    reply: ':1\r\n',
    async prepare({ admin }, count) {
      await admin.script('LOAD', emptyScript);
      return always(count, encode(['EVALSHA', digestOf(emptyScript), 0]));
    },
  },
  {
    what: names.bare,
    command: 'evalsha',
    reply: ':1\r\n',
    async prepare({ admin }, count) {
      await admin.script('LOAD', bareScript);
      await admin.mset({ '{sale}:total': 10_000_000, '{sale}:sold': 0 });
      return always(count, encode(['EVALSHA', digestOf(bareScript), 2, '{sale}:total', '{sale}:sold', 1]));
    },
  },
];

const saleId = 'launch-day';
const perBuyerLimit = 4;
/** Holds that are there before a refusal or a replay is measured. */
const buyersBefore = 1_000;
const ours = { command: 'evalsha', ours: true } as const;

type Encode = Awaited<ReturnType<typeof reserveEncoder>>;
const oneTee = [{ sku: 'tee', quantity: 1 }];
const several = (count: number, request: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => request(index));
const newHolds = (encodeReserve: Encode, count: number): string[] =>
  several(count, (index) => encodeReserve(buyersBefore + 1 + index, buyersBefore + 1 + index));

/** Every way that our script is gone through when a crowd is there. */
const reserves: CallKind[] = [
  {
    ...ours,
    what: names.newHold,
    reply: newHoldReply,
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 1_000_000, perBuyerLimit });
      return newHolds(await reserveEncoder({ saleId, lines: oneTee }), count);
    },
  },
  {
    ...ours,
    what: 'reserve: a new hold of 2 items',
    reply: newHoldReply,
    async prepare(redis, count) {
      const skus = ['tee', 'cap'];
      await loadSale(redis, { saleId, units: 1_000_000, skus, perBuyerLimit });
      return newHolds(await reserveEncoder({ saleId, lines: skus.map((sku) => ({ sku, quantity: 1 })) }), count);
    },
  },
  {
    ...ours,
    what: 'reserve: a new hold of a returned unit',
    reply: newHoldReply,
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 2 * count, returned: count, perBuyerLimit });
      return newHolds(await reserveEncoder({ saleId, lines: oneTee }), count);
    },
  },
  {
    ...ours,
    what: 'reserve: replay of a hold',
    reply: newHoldReply,
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 1_000_000, holds: buyersBefore, perBuyerLimit });
      const encodeReserve = await reserveEncoder({ saleId, lines: oneTee });
      return several(count, (index) => encodeReserve(1 + (index % buyersBefore), 1 + (index % buyersBefore)));
    },
  },
  {
    ...ours,
    what: names.soldOut,
    reply: 'SOLD_OUT|',
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: buyersBefore, holds: buyersBefore, perBuyerLimit });
      return newHolds(await reserveEncoder({ saleId, lines: oneTee }), count);
    },
  },
  {
    what: names.glance,
    command: 'hmget',
    ours: true,
    reply: '*5\r\n',
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: buyersBefore, holds: buyersBefore, perBuyerLimit });
      return newHolds(await glanceEncoder({ saleId, lines: oneTee }), count);
    },
  },
  {
    ...ours,
    what: "reserve: refused, the buyer's limit",
    reply: 'BUYER_LIMIT|',
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 1_000_000, holds: buyersBefore, perBuyerLimit: 1 });
      const encodeReserve = await reserveEncoder({ saleId, lines: oneTee });
      return several(count, (index) => encodeReserve(buyersBefore + 1 + index, 1 + (index % buyersBefore)));
    },
  },
];

/** An order is confirmed once. */
const confirmsMax = 2_000;

/** What an order's life asks of Redis after its reserve. */
const follow = async (
  { admin }: CalledRedis,
  count: number,
  call: (stock: Stock, hold: Hold) => Promise<unknown>,
): Promise<readonly string[]> => {
  const holds: Hold[] = [];
  for await (const hold of stockScripts(admin).holds(saleId)) holds.push(hold);
  const requests = await Promise.all(holds.map(async (hold) => encode(['EVALSHA', ...(await wordsOf((stock) => call(stock, hold)))])));
  return several(count, (index) => requests[index % requests.length] ?? '');
};

const following: CallKind[] = [
  {
    ...ours,
    what: 'acknowledge: a hold follows its order',
    reply: 'ACKNOWLEDGED',
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 1_000_000, holds: buyersBefore, perBuyerLimit });
      await redis.admin.script('LOAD', scripts.acknowledge.text);
      return follow(redis, count, (stock, hold) => stock.acknowledge(saleId, hold, 'live'));
    },
  },
  {
    ...ours,
    what: 'confirm: an order is paid',
    callsMax: confirmsMax,
    reply: 'CONFIRMED',
    async prepare(redis, count) {
      await loadSale(redis, { saleId, units: 1_000_000, holds: count, perBuyerLimit });
      await redis.admin.script('LOAD', scripts.confirm.text);
      const stock = stockScripts(redis.admin);
      for await (const hold of stock.holds(saleId)) await stock.acknowledge(saleId, hold, 'live');
      return follow(redis, count, (each, hold) => each.confirm(saleId, hold.holdId));
    },
  },
];

export const callKinds: readonly CallKind[] = [...plain, ...reserves, ...following];
