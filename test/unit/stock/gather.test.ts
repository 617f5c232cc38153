import { describe, expect, it } from 'vitest';
import { type GatherPorts, gatherer } from '../../../functions/stock/gather.ts';
import { homeShardOf, type Transit } from '../../../functions/stock/shards.model.ts';

const shards = 3;
const sale = { saleId: 's1', shards };
const buyerId = Array.from({ length: 50 }, (_, n) => `buyer-${n}`).find((id) => homeShardOf(sale, id) === 0) ?? '';
const wanted = { buyerId, sku: 'tee', missing: 1, had: 0 };

type Shard = { free: number; pending: Transit[]; received: number; isLate?: true } | 'lost' | 'away';

/** Shards in memory. `between` runs after each look, numbered from 1. */
function world(stocks: Shard[], between: (look: number) => void = () => {}, replicated = async () => {}) {
  let [visits, nowMs, frozenMs, seq] = [0, 0, 0, 0];
  const at = (shard: number) => {
    const found = stocks[shard];
    if (found === 'away' || found === undefined) throw new Error(`shard ${shard} is away`);
    return found;
  };
  const ports: GatherPorts = {
    random: () => 0,
    nowMs: () => nowMs,
    dateMs: () => nowMs + frozenMs,
    pause: async () => {},
    shards: {
      async visit(_, shard) {
        try {
          const found = at(shard);
          if (found === 'lost') return undefined;
          return { shard, free: found.free, lent: [...found.pending], received: String(found.received) };
        } finally {
          if (++visits % shards === 0) between(visits / shards);
        }
      },
      async lend(_, { from, to, sku }) {
        const found = at(from);
        if (found === 'lost') return { outcome: 'NOT_LOADED' };
        const before = found.pending.find((transit) => transit.to === to);
        if (before) return { outcome: 'LENT', transit: before };
        if (found.free === 0) return { outcome: 'DRY' };
        found.free--;
        const transit = { from, to, sku, seq: ++seq, units: '1' };
        found.pending.push(transit);
        return { outcome: 'LENT', transit };
      },
      async receive(_, transit) {
        const found = at(transit.to);
        if (found === 'lost') return { outcome: 'NOT_LOADED' };
        if (found.isLate) return { outcome: 'NOT_YET' };
        if (found.received >= transit.seq) return { outcome: 'ALREADY_RECEIVED' };
        found.received = transit.seq;
        found.free++;
        return { outcome: 'RECEIVED', count: 1 };
      },
      async settle(_, { from, seq: of }) {
        const found = at(from);
        if (found !== 'lost') found.pending = found.pending.filter((transit) => transit.seq !== of);
        return { outcome: 'SETTLED' };
      },
      replicated,
    },
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const freeze = (ms: number) => {
    frozenMs += ms;
  };
  return { ...gatherer(ports), stocks, looks: () => visits / shards, pass, freeze };
}

const stock = (free: number, pending: Transit[] = []): Shard => ({ free, pending, received: 0 });
const freeAt = (shard: Shard | undefined) => (typeof shard === 'object' ? shard.free : undefined);

describe('gathering units', () => {
  it('brings what is missing from another shard', async () => {
    const { gather, stocks } = world([stock(0), stock(0), stock(5)]);
    expect(await gather(sale, wanted)).toBe('brought');
    expect(stocks.map(freeAt)).toEqual([1, 0, 4]);
  });

  it('says dry after two looks that found the same, and then for half a second without a look', async () => {
    const { gather, looks, pass } = world([stock(0), stock(0), stock(0)]);
    expect(await gather(sale, wanted)).toBe('dry');
    expect(looks()).toBe(2);
    pass(499);
    expect(await gather(sale, wanted)).toBe('dry');
    expect(looks()).toBe(2);
    pass(1);
    expect(await gather(sale, wanted)).toBe('dry');
    expect(looks()).toBe(4);
  });

  it('looks again after a container was frozen, whose clock of its own stood still', async () => {
    const { gather, stocks, freeze } = world([stock(0), stock(0), stock(0)]);
    expect(await gather(sale, wanted)).toBe('dry');
    stocks[2] = stock(1);
    freeze(500);
    expect(await gather(sale, wanted)).toBe('brought');
  });

  it('remembers nothing of a sale whose last units are at one home: others may ask for just those', async () => {
    const { gather, looks } = world([stock(1), stock(0), stock(0)]);
    expect(await gather(sale, { ...wanted, missing: 1, had: 1 })).toBe('dry');
    expect(await gather(sale, { ...wanted, missing: 1, had: 1 })).toBe('dry');
    expect(looks()).toBe(4);
  });

  it('does not say dry when a unit hopped behind its back from a shard that it was yet to look at to one that it had looked at', async () => {
    // By the time of the second look the unit has gone on, and has been sold: what tells is that the second shard has received something.
    const hop = (look: number) => {
      const [, second] = game.stocks;
      if (look === 1 && typeof second === 'object') second.received = 7;
    };
    const game = world([stock(0), stock(0), stock(0)], hop);
    expect(await game.gather(sale, wanted)).toBe('dry');
    expect(game.looks()).toBe(3);
  });

  it('completes what somebody left under way, whoever it was for, and does not say dry before', async () => {
    const left = { from: 1, to: 2, seq: 9, sku: 'tee', units: '1' };
    const { gather, stocks } = world([stock(0), stock(0, [left]), stock(0)]);
    expect(await gather(sale, wanted)).toBe('brought');
    expect(stocks.map(freeAt)).toEqual([1, 0, 0]);
  });

  it('forgets a run at the donor only when the receiver has it, and a replica of the receiver too', async () => {
    const left = { from: 1, to: 2, seq: 9, sku: 'tee', units: '1' };
    const pendingOf = (game: ReturnType<typeof world>) => (game.stocks[1] as Exclude<Shard, string>).pending;
    // It has not heard of the units yet.
    const early = world([stock(0), stock(0, [left]), { free: 0, pending: [], received: 0, isLate: true }]);
    expect(await early.complete(sale, left)).toBe(0);
    expect(pendingOf(early)).toEqual([left]);
    const gone = world([stock(0), stock(0, [left]), 'away']);
    await expect(gone.complete(sale, left)).rejects.toThrow('shard 2 is away');
    expect(pendingOf(gone)).toEqual([left]);
    // No replica follows: the units are for sale where they came to, and the donor knows them still.
    const alone = world(
      [stock(0), stock(0, [left]), stock(0)],
      () => {},
      async () => {
        throw new Error('no replica');
      },
    );
    expect(await alone.complete(sale, left)).toBe(1);
    expect(pendingOf(alone)).toEqual([left]);
    const whole = world([stock(0), stock(0, [left]), stock(0)]);
    expect(await whole.complete(sale, left)).toBe(1);
    expect(pendingOf(whole)).toEqual([]);
  });

  it('does not forget a run at the donor when the receiver fell back before a replica had it', async () => {
    const left = { from: 1, to: 2, seq: 9, sku: 'tee', units: '1' };
    let hasFallenBack = false;
    const game = world(
      [stock(0), stock(0, [left]), stock(0)],
      () => {},
      async () => {
        if (!hasFallenBack) game.stocks[2] = stock(0);
        hasFallenBack = true;
      },
    );
    const pending = () => (game.stocks[1] as Exclude<Shard, string>).pending;
    await game.complete(sale, left);
    expect(pending()).toEqual([left]);
    expect(game.stocks.map(freeAt)).toEqual([0, 0, 1]);
    await game.complete(sale, left);
    expect(pending()).toEqual([]);
    expect(game.stocks.map(freeAt)).toEqual([0, 0, 1]);
  });

  it('goes on where the home has more than when it was refused', async () => {
    const { gather, looks } = world([stock(1), stock(0), stock(0)]);
    expect(await gather(sale, wanted)).toBe('brought');
    expect(looks()).toBe(1);
  });

  it('gets what others have while a shard is away, and says neither dry nor sold when they have nothing', async () => {
    expect(await world([stock(0), 'away', stock(2)]).gather(sale, wanted)).toBe('brought');
    await expect(world([stock(0), 'away', stock(0)]).gather(sale, wanted)).rejects.toThrow('shard 1 is away');
    expect(await world([stock(0), 'lost', stock(2)]).gather(sale, wanted)).toBe('brought');
    expect(await world([stock(0), 'lost', stock(0)]).gather(sale, wanted)).toBe('not-loaded');
  });

  it('never says dry while a run is on its way to a shard that is not there', async () => {
    const stuck = { from: 1, to: 2, seq: 9, sku: 'tee', units: '1' };
    await expect(world([stock(0), stock(0, [stuck]), 'away']).gather(sale, wanted)).rejects.toThrow('away');
    expect(await world([stock(0), stock(0, [stuck]), 'lost']).gather(sale, wanted)).toBe('not-loaded');
  });

  it('gives up after a bounded number of looks, and says that it does not know', async () => {
    // Somebody else takes the unit each time, and gives it back.
    let game: ReturnType<typeof world>;
    const tease = (look: number) => {
      const third = game.stocks[2];
      if (typeof third === 'object') third.free = look % 2;
    };
    game = world([stock(0), stock(0), stock(0)], tease);
    const { gather } = game;
    const outcome = await gather(sale, wanted);
    expect(['brought', 'in-transit']).toContain(outcome);
    expect(game.looks()).toBeLessThanOrEqual(12);
  });
});
