import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { attemptCosts, orderCosts, totalOf } from '../../bench/scale/costs.ts';
import { countAll } from '../../bench/scale/counts.ts';
import { withBlocks } from '../../bench/scale/document.ts';
import { type Inputs, readInputs } from '../../bench/scale/measured.ts';
import { meteredDatabase } from '../../bench/scale/meter.ts';
import { needsOf } from '../../bench/scale/model.ts';
import { documentedLoad, readOptions } from '../../bench/scale/options.ts';
import { blockNames, blocksOf } from '../../bench/scale/report.ts';
import { dollars, quotas } from '../../bench/scale/sources.ts';
import { wallsOf } from '../../bench/scale/walls.ts';
import { transact } from '../../functions/shared/dynamo.ts';
import { BadOption } from '../support/command-line.ts';

let inputs: Inputs;
beforeAll(async () => {
  inputs = await readInputs();
});

const anew = 'npm run scale -- --write counts anew, and writes the document';
const wallNamed = (name: string, load = documentedLoad) => {
  const found = wallsOf(inputs, load).find((wall) => wall.name.includes(name));
  return found ?? expect.fail(`no wall ${name}`);
};

describe('the inputs of the model', () => {
  it('are what the code that ships and the template say', async () => {
    expect(inputs.counted, anew).toEqual(await countAll());
  });

  it('each say where they come from', () => {
    for (const [name, { unit, from }] of Object.values(inputs).flatMap((group) => Object.entries(group))) {
      expect(unit.length, name).toBeGreaterThan(0);
      expect(from.length, name).toBeGreaterThan(0);
    }
  });

  it('have a page for each quota and price', () => {
    for (const { url, value, of } of [...Object.values(quotas), ...Object.values(dollars)]) {
      expect(url, of).toMatch(/^https:\/\/(docs\.)?aws\.amazon\.com\//);
      expect(value, of).toBeGreaterThan(0);
    }
  });
});

describe('the document of scale', () => {
  it('has the tables that the script computes', async () => {
    const page = await readFile(new URL('../../docs/scale.md', import.meta.url), 'utf8');
    expect(page, anew).toBe(withBlocks(page, blocksOf(inputs, documentedLoad)));
  });

  it('keeps what stands around its tables, and is not written when one is missing', () => {
    const blocks = blocksOf(inputs, documentedLoad);
    const page = blockNames.map((name) => `About ${name}.\n<!-- computed: ${name} -->\nwhat stood there\n<!-- end -->\n`).join('\n');
    const written = withBlocks(page, blocks);
    for (const name of blockNames) expect(written).toContain(`About ${name}.\n<!-- computed: ${name} -->\n${blocks[name]}\n<!-- end -->`);
    expect(written).not.toContain('what stood there');
    expect(withBlocks(written, blocks)).toBe(written);
    expect(() => withBlocks(page.replace('<!-- computed: walls -->', ''), blocks)).toThrow('computed: walls');
  });
});

describe('the database that counts', () => {
  const order = { orderId: 'ord_1', version: 1, saleShard: 'sale#1', listKey: '1#ord_1', dueShard: 'due#1', dueAtMs: 1 };

  it('counts a transaction twice, an index for each entry that comes or goes, and what a failed condition prevented', async () => {
    const { database, metered } = meteredDatabase(() => 0);
    const put = (Item: object) => ({ Put: { TableName: 'orders', Item, ConditionExpression: 'attribute_not_exists(orderId)' } });
    await transact(database, [put(order)]);
    expect(metered()).toMatchObject({ writeUnits: { orders: 2, 'orders/due': 1, 'orders/bySale': 1 }, transactions: 1 });

    const { dueShard: _, dueAtMs: __, ...settled } = order;
    await transact(database, [{ Put: { TableName: 'orders', Item: { ...settled, version: 2 } } }]);
    expect(metered().writeUnits).toEqual({ orders: 4, 'orders/due': 2, 'orders/bySale': 1 });

    expect(await transact(database, [put(order)])).toMatchObject({ outcome: 'refused' });
    expect(metered().writeUnits).toEqual({ orders: 6, 'orders/due': 2, 'orders/bySale': 1 });
  });

  it('counts an item by the larger of what was there and what comes', async () => {
    const { database, metered } = meteredDatabase(() => 0);
    const write = (note: string) => transact(database, [{ Put: { TableName: 'fulfilments', Item: { orderId: 'ord_1', note } } }]);
    await write('x'.repeat(2_000));
    await write('x');
    expect(metered().writeUnits).toEqual({ fulfilments: 8 });
  });
});

describe('the model', () => {
  it('tells the walls in the order in which they are met', () => {
    const shares = wallsOf(inputs, documentedLoad).map(({ share }) => share);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
  });

  it('has a wall stand where it stands, whatever the load', () => {
    const half = { ...documentedLoad, attemptsPerSecond: 500_000, ordersPerSecond: 10_000 };
    for (const { name, perSecond, share } of wallsOf(inputs, documentedLoad)) {
      expect(wallNamed(name, half).perSecond, name).toBeCloseTo(perSecond);
      expect(wallNamed(name, half).share, name).toBeCloseTo(share * 2);
    }
  });

  it('moves the wall of one slot, and not that of connections, by shards of stock', () => {
    const sharded = { ...documentedLoad, stockShards: 4 };
    const times = wallNamed('one slot', sharded).perSecond / wallNamed('one slot').perSecond;
    // Nearly four times: all units of such a sale are in pools, from which a unit takes longer.
    expect(times).toBeGreaterThan(3.5);
    expect(times).toBeLessThan(4);
    expect(wallNamed('connections', sharded).perSecond).toBe(wallNamed('connections').perSecond);
  });

  it('needs as many shards of Redis as keep each below the share that is planned for', () => {
    const { redisShards, redisCores } = needsOf(inputs, documentedLoad);
    const shareMax = inputs.assumed.redisLoadMax.value;
    expect(redisCores / redisShards).toBeLessThanOrEqual(shareMax);
    expect(redisCores / (redisShards - 1)).toBeGreaterThan(shareMax);
  });

  it('makes further units of an order cost writes of units and allowance alone', () => {
    const [one, two] = [1, 2].map((unitsPerOrder) => needsOf(inputs, { ...documentedLoad, unitsPerOrder }).writeUnitsPerOrder);
    const changed = Object.keys(one ?? {}).filter((where) => one?.[where] !== two?.[where]);
    expect(changed.toSorted()).toEqual(['allowances', 'units']);
  });

  it('adds a bill up, and never makes a crowd dearer than orders one at a time', () => {
    for (const lines of [attemptCosts(inputs), orderCosts(inputs, documentedLoad)]) {
      for (const { what, crowd, single } of lines) {
        expect(crowd, what).toBeGreaterThan(0);
        expect(crowd, what).toBeLessThanOrEqual(single);
      }
      expect(totalOf(lines).crowd).toBeCloseTo(lines.reduce((sum, { crowd }) => sum + crowd, 0));
    }
  });

  it('has no wall in the way of nothing', () => {
    const idle = wallsOf(inputs, { ...documentedLoad, ordersPerSecond: 0 }).filter((wall) => wall.of === 'orders');
    expect(new Set(idle.map(({ share }) => share))).toEqual(new Set([Number.POSITIVE_INFINITY]));
  });
});

describe('npm run scale', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, ['bench/scale.ts', ...args], { encoding: 'utf8', timeout: 60_000 });

  it('prints the summary last, and nothing else on the side', () => {
    const { status, stdout, stderr } = run('--attempts-per-second', '5000', '--orders-per-second', '100');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const last = stdout.split('## ').at(-1);
    expect(last).toMatch(/^Summary\n/);
    expect(last).toContain('5,000 attempts/s, of which 100 win');
  });

  it('refuses what it cannot follow, in a sentence', () => {
    const { status, stdout, stderr } = run('--units-per-order', '21');
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: '--units-per-order must be a whole number from 1 to 20.\n',
    });
    expect(() => readOptions(['--orders-per-second', '2', '--attempts-per-second', '1'])).toThrow(BadOption);
    expect(() => readOptions(['--write', '--stock-shards', '2'])).toThrow('leave the other options out');
    expect(() => readOptions(['--regions'])).toThrow(BadOption);
    expect(readOptions(['--help'])).toBeUndefined();
  });
});
