import { at, expand, giveBack, groupsOf, itemOf, loaded, poolOf, type Rule, touch, unwatch } from './moves.ts';
import { Broken, compact, inOrder } from './state.ts';

// The scripts by which the shards of a sale give each other units.

const lentMax = 1_000;

const lend = loaded((state, args, nowUs) => {
  const [to, sku, missing] = [at(args, 0), at(args, 1), Number(at(args, 2))];
  const before = state.lent.get(to);
  if (before?.sku !== undefined) return ['LENT', before.seq, before.sku, compact(before.serials ?? [])];
  const item = itemOf(state, sku);
  if (item.free === 0) return ['DRY'];
  const want = Math.min(item.free, lentMax, Math.max(missing, Math.ceil(item.free / 2)));
  const pool = poolOf(state.free, sku);
  const serials = inOrder(pool).slice(-want);
  if (serials.length === 0) throw new Broken(`free pool of ${sku}`);
  for (const serial of serials) pool.delete(serial);
  item.free -= serials.length;
  unwatch(state, sku, serials);
  touch(state, [sku]);
  const seq = Math.max(nowUs, (before?.seq ?? 0) + 1);
  state.lent.set(to, { seq, sku, serials });
  return ['LENT', seq, sku, compact(serials)];
});

const receive = loaded((state, args) => {
  const [from, seq, sku, serials] = [at(args, 0), Number(at(args, 1)), at(args, 2), expand(at(args, 3))];
  if ((state.received.get(from) ?? 0) >= seq) return ['ALREADY_RECEIVED'];
  const item = itemOf(state, sku);
  if (Math.max(...serials) >= item.next) return ['NOT_YET'];
  const before = item.free;
  giveBack(state, sku, serials);
  touch(state, [sku]);
  state.received.set(from, seq);
  return ['RECEIVED', item.free - before];
});

const settle = loaded((state, args) => {
  const [to, seq] = [at(args, 0), Number(at(args, 1))];
  const run = state.lent.get(to);
  if (run?.sku === undefined || run.seq !== seq) return ['NOT_PENDING'];
  state.lent.set(to, { seq });
  return ['SETTLED'];
});

const supply = loaded((state, args) => {
  const [sku, after, total] = [at(args, 0), Number(at(args, 1)), Number(at(args, 2))];
  const item = itemOf(state, sku);
  if (item.total !== after) return ['CHANGED'];
  const before = item.free;
  for (const [first, last] of groupsOf(args, 3, 2)) {
    for (let serial = Number(first); serial <= Number(last); serial++) {
      poolOf(state.suspects, sku).delete(serial);
      if (!poolOf(state.free, sku).has(serial)) item.free++;
      poolOf(state.free, sku).add(serial);
    }
  }
  item.total = total;
  item.next = Math.max(item.next, total + 1);
  touch(state, [sku]);
  return ['SUPPLIED', item.free - before];
});

const drop = loaded((state, args) => {
  let dropped = 0;
  for (const [sku = '', text = ''] of groupsOf(args, 0, 2)) {
    const [item, serials] = [itemOf(state, sku), expand(text)];
    for (const serial of serials) {
      if (poolOf(state.free, sku).delete(serial)) {
        item.free--;
        dropped++;
      }
      if (poolOf(state.suspects, sku).delete(serial)) dropped++;
    }
    unwatch(state, sku, serials);
    touch(state, [sku]);
  }
  return ['DROPPED', dropped];
});

export const shardRules: Readonly<Record<string, Rule>> = {
  'stock/shard-lend': lend,
  'stock/shard-receive': receive,
  'stock/shard-settle': settle,
  'stock/shard-supply': supply,
  'stock/shard-drop': drop,
};
