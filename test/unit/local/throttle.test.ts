import { expect, it } from 'vitest';
import { tokenBucket } from '../../../lib/local/throttle.ts';

it('lets a burst pass, then as many a second as the stage says, and never saves up more than a burst', () => {
  const mayPass = tokenBucket(10, 3, 0);
  const passed = (nowMs: number) => Array.from({ length: 5 }, () => mayPass(nowMs)).filter(Boolean).length;
  expect([passed(0), passed(99), passed(100), passed(400), passed(60_000)]).toEqual([3, 0, 1, 3, 3]);
});

it('lets everything pass in a stage without limits', () => {
  expect(tokenBucket(undefined, undefined, 0)(0)).toBe(true);
});
