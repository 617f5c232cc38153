import { beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../simulation/random.ts';
import { type Kit, makeKit } from '../simulation/run.ts';
import { perform } from './perform.ts';
import { describePoint, type Mode, modes, type Point, type Seen } from './points.ts';
import { commandOf, summaryOf, tableOf, violationText } from './report.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/all.ts';
import { cannotPay, paidByBalance } from './scenarios/paying.ts';
import { type Enumeration, enumerate, sweep, type Totals } from './sweep.ts';

/** A sweep takes a point in a third of a second; a machine that is busy with other tests takes its time. */
const timeoutMs = 240_000;
const fixedSeed = 1;
const sampleSize = 30;

let kit: Kit;
let all: Enumeration;

beforeAll(async () => {
  kit = makeKit();
  all = await enumerate(scenarios, kit, fixedSeed);
}, timeoutMs);

function expectUnbroken(totals: Totals, seed: number): void {
  for (const violation of totals.violations) console.error(violationText(violation, seed));
  expect(totals.violations.map(({ id }) => commandOf(id, seed))).toEqual([]);
  expect(totals.unreached).toEqual([]);
  expect(totals.tried).toBe(totals.points);
}

describe('the scenarios', () => {
  it('invoke every handler and are broken in nothing while nothing fails', () => {
    expect(all.missing).toEqual([]);
    expect(all.broken).toEqual([]);
  });

  it('give points of every handler that calls anything outside, each for all that may happen there', () => {
    const handlers = new Set(all.points.map(({ functionName }) => functionName));
    expect([...handlers, ...all.silent].toSorted()).toEqual(kit.bundles.functionNames);
    // The page of the API is made of what ships with it.
    expect(all.silent).toEqual(['docs/docs']);
    const byPlace = Map.groupBy(all.points, ({ scenario, at }) => `${scenario} ${at}`);
    expect([...byPlace.values()].every((points) => points.length === modes.length)).toBe(true);
  });

  it('name a handler that none of them invokes', async () => {
    const few = await enumerate([cannotPay], kit, fixedSeed);
    expect(few.missing).toContain('stock/rebuild');
    expect(few.missing).not.toContain('orders/place');
  });
});

describe('a sweep', () => {
  it(
    'finds an order in its place wherever the function that takes it fails',
    async () => {
      const points = all.points.filter(({ scenario, functionName }) => scenario === paidByBalance.name && functionName === 'orders/place');
      expect(points.length).toBeGreaterThan(20);
      expectUnbroken(await sweep(points, scenarios, kit, { seed: fixedSeed }), fixedSeed);
    },
    timeoutMs,
  );

  it(
    'finds nothing broken at points that are drawn anew each time, under a seed that nobody has seen before',
    async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      console.info(`fresh seed: ${seed}`);
      const random = randomOf(`crash points/${seed}`);
      const some = random.shuffle(scenarios).slice(0, 6);
      const fresh = await enumerate(some, kit, seed);
      expect(fresh.broken).toEqual([]);
      const points = random.shuffle(fresh.points).slice(0, sampleSize);
      const totals = await sweep(points, scenarios, kit, { seed });
      console.info(`${tableOf(totals)}\n${summaryOf(totals)}`);
      expectUnbroken(totals, seed);
    },
    timeoutMs,
  );

  it('takes the same steps when a point is tried again', async () => {
    const point = all.points.find(({ label, mode }) => label === 'redis stock.reserve' && mode === 'die-after') as Point;
    const scenario = scenarioOf(point);
    const [one, other] = [
      await perform(scenario, kit, { seed: fixedSeed, point }),
      await perform(scenario, kit, { seed: fixedSeed, point }),
    ];
    expect(other.hash).toBe(one.hash);
    expect(one.struck).toMatchObject({ functionName: point.functionName, label: point.label });
  });
});

const scenarioOf = ({ scenario }: Point): Scenario => scenarios.find(({ name }) => name === scenario) as Scenario;

const pointAt = (label: string, mode: Mode): Point =>
  all.points.find((point) => point.scenario === paidByBalance.name && point.label.startsWith(label) && point.mode === mode) as Point;

/** What is found broken when the scenario is played with this change. */
async function foundWith(change: Partial<Scenario>, point: Point) {
  const totals = await sweep([point], [{ ...paidByBalance, ...change }], kit, { seed: fixedSeed });
  return totals.violations.flatMap(({ broken }) => broken.map(({ invariant, what }) => `${invariant}: ${what}`));
}

describe('what a sweep would notice', () => {
  it('an expectation of a scenario that does not hold', async () => {
    const found = await foundWith(
      {
        *broken({ rows }) {
          if (rows.orders.length > 0) yield 'somebody has an order';
        },
      },
      pointAt('dynamodb TransactWrite orders=RESERVED/none', 'die-after'),
    );
    expect(found).toEqual(['the scenario: somebody has an order']);
  });

  it('an order that is lost after its buyer was told of it', async () => {
    const loses: Scenario['play'] = async (stage) => {
      await paidByBalance.play(stage);
      stage.machine.database.call('Delete', { TableName: 'orders', Key: { orderId: stage.orderOf('one')?.orderId } });
    };
    const found = await foundWith({ play: loses }, pointAt('redis stock.reserve', 'die-before'));
    expect(found).toContainEqual(expect.stringContaining('2 nothing acknowledged is lost'));
    expect(found).toContain('the scenario: one is not there, and must be FULFILLED');
  });

  it('a unit that is sold and for sale', async () => {
    const frees: Scenario['play'] = async (stage) => {
      await paidByBalance.play(stage);
      const { units } = stage.rows;
      const unit = units.find(({ sku }) => sku === 'tee');
      stage.machine.database.call('Delete', { TableName: 'units', Key: { bucket: unit?.bucket, unit: unit?.unit } });
    };
    const found = await foundWith({ play: frees }, pointAt('redis stock.acknowledge', 'reply-lost'));
    expect(found).toContainEqual(expect.stringContaining('2 nothing acknowledged is lost'));
  });

  it('a point that the run never comes to', async () => {
    const beyond: Seen = { at: 1_000_000, functionName: 'orders/place', index: 0, label: 'redis stock.reserve', nth: 0 };
    const point: Point = { ...beyond, scenario: paidByBalance.name, mode: 'die-before' };
    const totals = await sweep([point], scenarios, kit, { seed: fixedSeed });
    expect(totals).toMatchObject({ points: 1, tried: 0, unreached: [describePoint(point)] });
  });

  it('a call that is another one than the point’s', async () => {
    const point = { ...pointAt('redis stock.reserve', 'die-before'), label: 'redis stock.release' };
    const totals = await sweep([point], scenarios, kit, { seed: fixedSeed });
    expect(totals).toMatchObject({ points: 1, tried: 0 });
  });
});
