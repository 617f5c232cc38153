import { beforeAll, describe, expect, it } from 'vitest';
import { Findings, type Invariant } from './findings.ts';
import { planOf } from './plan.ts';
import { checkQuiet, type Quiet } from './quiet.ts';
import type { RedisHold, RedisView } from './redis-view.ts';
import type { MovementRow, OrderRow, Rows } from './rows.ts';
import { makeKit, type Outcome, runPlan } from './run.ts';
import { checkLedger, checkOwners, StateWatch } from './state.ts';
import { saleId } from './world.ts';

// A checker that can't fail proves nothing: each of these worlds is a right one with one thing wrong, and must be told from it.

let outcome: Outcome;
let right: Quiet;

beforeAll(async () => {
  // A run in which something was sold, paid from outside, given back, and refused for want of money.
  outcome = await runPlan(
    { ...planOf(8, { minutes: 2 }), perBuyerLimit: 4, strategy: 'reserve-first', isBusOff: false, faults: [] },
    makeKit(),
  );
  if (!outcome.quiet?.redis) throw new Error(`the run did not come to rest: ${JSON.stringify(outcome.findings)}`);
  right = outcome.quiet;
}, 120_000);

/** What is found in a world. */
function found(quiet: Quiet): string[] {
  const findings = new Findings();
  checkOwners(quiet.rows, findings);
  checkLedger(quiet.rows, findings);
  checkQuiet(quiet, findings);
  return findings.list.map(({ invariant }) => invariant);
}

const withRows = (change: Partial<Rows>): Quiet => ({ ...right, rows: { ...right.rows, ...change } });
const redis = (): RedisView => right.redis?.[0] as RedisView;
const withRedis = (change: Partial<RedisView>): Quiet => ({ ...right, redis: [{ ...redis(), ...change }] });
const fulfilled = (): OrderRow => {
  const order = right.rows.orders.find(({ status }) => status === 'FULFILLED');
  if (!order) throw new Error('no order was fulfilled');
  return order;
};
const movementOf = (kind: string): MovementRow => {
  const movement = right.rows.movements.find((each) => each.kind === kind && each.orderId === fulfilled().orderId);
  if (!movement) throw new Error(`nothing was moved by ${kind}`);
  return movement;
};
const replaced = (order: Partial<OrderRow>) =>
  withRows({ orders: right.rows.orders.map((each) => (each.orderId === fulfilled().orderId ? { ...each, ...order } : each)) });

describe('what the checker finds in what is stored', () => {
  it('nothing where everything is right', () => {
    expect(outcome.findings).toEqual([]);
    expect(found(right)).toEqual([]);
  });

  const wrong: readonly { readonly what: string; readonly invariant: Invariant; readonly world: () => Quiet }[] = [
    {
      what: 'a unit with two rows',
      invariant: '1 never oversold',
      world: () =>
        withRows({
          units: [...right.rows.units, { ...right.rows.units[0], bucket: 'another', orderId: 'ord_other' } as Rows['units'][number]],
        }),
    },
    {
      what: 'a unit whose row is another order’s',
      invariant: '1 never oversold',
      world: () =>
        withRows({ units: right.rows.units.map((row) => (row.orderId === fulfilled().orderId ? { ...row, orderId: 'ord_other' } : row)) }),
    },
    {
      what: 'a unit beyond the total',
      invariant: '1 never oversold',
      world: () =>
        withRows({
          sale: {
            ...(right.rows.sale as NonNullable<Rows['sale']>),
            items: right.rows.sale?.items.map((item) => ({ ...item, total: 0 })) ?? [],
          },
        }),
    },
    {
      what: 'an order that somebody was told of and that is gone',
      invariant: '2 nothing acknowledged is lost',
      world: () => withRows({ orders: right.rows.orders.filter(({ orderId }) => orderId !== right.acknowledged[0]?.orderId) }),
    },
    {
      what: 'an order that is the buyer’s after it was cancelled',
      invariant: '2 nothing acknowledged is lost',
      world: () => ({ ...right, promised: [{ orderId: fulfilled().orderId, statuses: ['CANCELLED', 'REFUNDED'], requestId: 'a1' }] }),
    },
    {
      what: 'an order that lives on in a sale that was called off',
      invariant: '2 nothing acknowledged is lost',
      world: () => ({ ...right, isCalledOff: true }),
    },
    {
      what: 'a restock that was added twice',
      invariant: '1 never oversold',
      world: () => ({ ...right, firstTotals: new Map([...right.firstTotals].map(([sku, total]) => [sku, total - 1])) }),
    },
    {
      what: 'an order without its units',
      invariant: '2 nothing acknowledged is lost',
      world: () => withRows({ units: right.rows.units.filter(({ orderId }) => orderId !== fulfilled().orderId) }),
    },
    {
      what: 'a hold that was never ended',
      invariant: '3 one end per hold',
      world: () => withRedis({ holds: [...redis().holds, holdOf('H')] }),
    },
    {
      what: 'a cart that was never ended',
      invariant: '3 one end per hold',
      world: () => withRedis({ holds: [...redis().holds, holdOf('K')] }),
    },
    {
      what: 'a confirmed hold that no order has',
      invariant: '3 one end per hold',
      world: () => withRedis({ holds: [...redis().holds, holdOf('C')] }),
    },
    {
      what: 'an ended order whose hold was never released',
      invariant: '3 one end per hold',
      world: () => replaced({ status: 'EXPIRED', stock: 'releasing' }),
    },
    {
      what: 'a unit for sale that somebody has',
      invariant: '4 stock is conserved',
      world: () => withRedis({ items: redis().items.map((item) => ({ ...item, next: 1 })), seats: new Map() }),
    },
    {
      what: 'a unit that is nobody’s and not for sale',
      invariant: '4 stock is conserved',
      world: () => withRows({ units: right.rows.units.slice(1) }),
    },
    {
      what: 'a counter that is off by one',
      invariant: '4 stock is conserved',
      world: () => withRedis({ items: redis().items.map((item) => ({ ...item, free: item.free + 1 })) }),
    },
    {
      what: 'a limit that Redis has not heard of',
      invariant: '4 stock is conserved',
      world: () => withRedis({ limit: redis().limit + 1 }),
    },
    {
      what: 'a pause that Redis has not heard of',
      invariant: '4 stock is conserved',
      world: () => withRedis({ control: 'paused' }),
    },
    {
      what: 'a unit under suspicion',
      invariant: '4 stock is conserved',
      world: () => withRedis({ suspects: new Set(['tee-1 1']) }),
    },
    {
      what: 'an allowance that no order uses',
      invariant: '4 stock is conserved',
      world: () => withRedis({ slots: new Map([...redis().slots, ['buyer-99', 1]]) }),
    },
    {
      what: 'a figure that events have counted twice',
      invariant: '4 stock is conserved',
      world: () => withRows({ levels: right.rows.levels.map((level) => ({ ...level, sold: (level.sold ?? 0) + 1 })) }),
    },
    {
      what: 'a balance that is not the sum of its entries',
      invariant: '5 money is conserved',
      world: () =>
        withRows({
          accounts: right.rows.accounts.map((account, index) =>
            index === 0 ? { ...account, balanceMinor: account.balanceMinor + 1 } : account,
          ),
        }),
    },
    {
      what: 'a movement whose entries do not sum to zero',
      invariant: '5 money is conserved',
      world: () => {
        const capture = movementOf('capture');
        const bent = {
          ...capture,
          entries: capture.entries.map((entry, index) => (index === 0 ? { ...entry, amountMinor: entry.amountMinor - 1 } : entry)),
        };
        return withRows({ movements: right.rows.movements.map((each) => (each === capture ? bent : each)) });
      },
    },
    {
      what: 'an order that was captured twice',
      invariant: '5 money is conserved',
      world: () => withRows({ movements: [...right.rows.movements, { ...movementOf('capture'), entry: 'movement#again' }] }),
    },
    {
      what: 'an order that was never paid',
      invariant: '5 money is conserved',
      world: () => withRows({ movements: right.rows.movements.filter((each) => each !== movementOf('capture')) }),
    },
    {
      what: 'a payment that was acknowledged and never booked',
      invariant: '5 money is conserved',
      world: () => ({
        ...right,
        payments: [{ paymentId: 'pay-lost', orderId: fulfilled().orderId, amountMinor: 7, currency: 'EUR', isAcknowledged: true }],
      }),
    },
    {
      what: 'money of an order that was called off and kept',
      invariant: '5 money is conserved',
      world: () => replaced({ status: 'REFUNDED', stock: 'released' }),
    },
    { what: 'an order that never ends', invariant: '6 every order ends', world: () => replaced({ status: 'CONFIRMED' }) },
    { what: 'an order of which something is owed', invariant: '6 every order ends', world: () => replaced({ dueAtMs: 1 }) },
    {
      what: 'a sale that Redis never got back',
      invariant: '7 it fails closed',
      world: () => ({
        ...right,
        redis: undefined,
        rows: { ...right.rows, sale: { ...(right.rows.sale as NonNullable<Rows['sale']>), control: 'open' } },
      }),
    },
    { what: 'a list that is behind its orders', invariant: 'answers', world: () => withRows({ views: right.rows.views.slice(1) }) },
  ];
  for (const { what, invariant, world } of wrong) it(what, () => expect(found(world())).toContain(invariant));
});

const holdOf = (state: string): RedisHold => ({
  holdId: 'a-hold-of-nobody',
  state,
  buyerId: 'buyer-1',
  slots: 0,
  units: [{ sku: 'tee-1', unit: '1' }],
});

describe('what the checker finds between two looks', () => {
  const looks = (before: Rows, after: Rows): string[] => {
    const findings = new Findings();
    let rows = before;
    const items = (table: string): readonly Readonly<Record<string, unknown>>[] => itemsOf(rows, table);
    const watch = new StateWatch({ items }, findings, saleId);
    watch.look();
    expect(findings.list).toEqual([]);
    rows = after;
    watch.look();
    return findings.list.map(({ invariant }) => invariant);
  };
  const moved = (change: Partial<OrderRow>): Rows => replaced({ version: fulfilled().version + 1, ...change }).rows;

  it('nothing where nothing has happened', () => expect(looks(right.rows, right.rows)).toEqual([]));
  it('an order that is gone', () => {
    expect(looks(right.rows, { ...right.rows, orders: right.rows.orders.filter((each) => each !== fulfilled()) })).toContain(
      '2 nothing acknowledged is lost',
    );
  });
  it('an order that goes back', () => expect(looks(right.rows, moved({ status: 'RESERVED' }))).toContain('3 one end per hold'));
  it('an order that moves without a version', () => {
    expect(looks(right.rows, replaced({ status: 'REFUNDING' }).rows)).toContain('3 one end per hold');
  });
  it('a buyer with more units than the limit', () => {
    const [first] = right.rows.allowances;
    const more = Array.from({ length: 6 }, (_, index) => ({ ...(first as Rows['allowances'][number]), slot: index + 10 }));
    expect(looks(right.rows, { ...right.rows, allowances: [...right.rows.allowances, ...more] })).toContain('1 never oversold');
  });
  it('a payment that is taken back to none', () => {
    expect(looks(right.rows, moved({ payment: { ...fulfilled().payment, state: 'none' } }))).toContain('3 one end per hold');
  });
  it('an order that costs something else', () => {
    expect(looks(right.rows, moved({ totalMinor: fulfilled().totalMinor + 1 }))).toContain('2 nothing acknowledged is lost');
  });
  it('an order that goes back after it was handed over, and nobody takes it back', () => {
    expect(looks(right.rows, moved({ status: 'REFUNDING' }))).toContain('3 one end per hold');
    expect(looks(right.rows, moved({ status: 'REFUNDING', takenBack: { units: 'free' } }))).toEqual([]);
  });
  it('an order that gets other units', () => {
    const items = fulfilled().items.map((line) => ({ ...line, units: ['B-99'] }));
    expect(looks(right.rows, moved({ status: 'REFUNDING', items }))).toContain('2 nothing acknowledged is lost');
  });
  it('an entry of the ledger that was changed', () => {
    const capture = movementOf('capture');
    const movements = right.rows.movements.map((each) => (each === capture ? { ...each, entries: [] } : each));
    expect(looks(right.rows, { ...right.rows, movements })).toContain('5 money is conserved');
  });
});

function itemsOf(rows: Rows, table: string): readonly Readonly<Record<string, unknown>>[] {
  const { sale, seats, accounts, movements, orders, units, allowances, payments, views, levels } = rows;
  const chunk = { items: [...seats].map(([sku, names]) => ({ sku, seats: [...names] })) };
  const tables: Readonly<Record<string, readonly unknown[]>> = {
    ...{ orders, units, allowances, payments, views, stockLevels: levels },
    ...{ sales: sale ? [sale] : [], seats: [chunk], accounts: [...accounts, ...movements] },
  };
  return (tables[table] ?? []) as readonly Readonly<Record<string, unknown>>[];
}
