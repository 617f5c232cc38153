import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { inParallel } from '../../functions/shared/parallel.ts';
import { check } from '../histories/check.ts';
import { makeProducts, runWindow } from '../histories/window.ts';
import { randomOf } from '../simulation/random.ts';
import { openShop } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

/** A few of what `npm run histories` has many of. */
const windowsCount = 6;
const seed = randomInt(2 ** 31);

it(`what clients at small sales see is what a stock does that serves one at a time, has no unit with two owners, and adds up (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const prefix = `h-${randomUUID().slice(0, 8)}`;
  const { client, operator, callers } = shop;
  await makeProducts(operator, prefix);
  const checked = await inParallel([...Array(windowsCount).keys()], 3, async (index) => {
    const plan = { clients: 5, stepsEach: 5, strategy: index % 3 === 2 ? 'charge-first' : 'reserve-first' } as const;
    return check(
      await runWindow({ client, operator, callers, prefix }, `${prefix}-${index}`, plan, randomOf(seed).fork(`window ${index}`)),
    );
  });
  expect(checked.flatMap(({ violations }) => violations)).toEqual([]);
  expect(checked.filter(({ undecided }) => undecided > 0)).toEqual([]);
  expect(checked.reduce((sum, { operations }) => sum + operations, 0)).toBeGreaterThan(windowsCount * 10);
});
