import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../local/processes.ts';
import { randomOf } from '../simulation/random.ts';
import { runSale, type SalePlan } from './sale.ts';
import { startWorld } from './world.ts';

// Some of the kinds that `npm run chaos` goes through, in one small sale.
it('keeps every guarantee while containers are killed, Redis is emptied and answers vanish', async () => {
  const seed = randomInt(1_000_000);
  const random = randomOf(seed);
  const said = [`seed ${seed}`];
  const world = await startWorld(random.fork('world'), new AbortController().signal);
  onTestFinished(() => world.stop());
  const containers = world.runtime.containers().map(({ pid }) => pid);
  expect(containers.length).toBeGreaterThan(0);

  const plan: SalePlan = {
    ...{ saleId: `chaos-${seed}`, strategy: random.chance(0.5) ? 'reserve-first' : 'charge-first', isSeated: random.chance(0.3) },
    ...{ units: 50, buyers: 45, rushMs: 5_000 },
    faults: ['container-kill', 'redis-flushall', 'redis-swallow', 'dynamodb-throttling', 'queue-duplicates'],
  };
  const { verdict, injected } = await runSale(world, plan, random.fork('sale'), (line) => said.push(line));

  const broken = verdict.findings.filter(({ holds }) => !holds);
  expect(broken, said.join('\n')).toEqual([]);
  expect(verdict.tally, said.join('\n')).toMatchObject({ oversold: 0, lost: 0, duplicates: 0, ledgerDifference: 0 });
  expect(injected.map(({ kind }) => kind).sort()).toEqual([...plan.faults].sort());

  await world.stop();
  expect(existsSync(world.directory)).toBe(false);
  await expect.poll(() => containers.filter(isAlive), { timeout: 60_000 }).toEqual([]);
}, 600_000);
