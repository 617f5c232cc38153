import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { skewOf } from './skew.ts';

const plan = { share: 0.5, skewMs: 120_000, salt: 'some' };

it('puts some clocks two minutes before, some as much behind, and leaves others right', () => {
  const skews = Array.from({ length: 200 }, (_, pid) => skewOf(pid, plan));
  expect([...new Set(skews)].sort((one, other) => one - other)).toEqual([-120_000, 0, 120_000]);
  expect(skews.every((skew, pid) => skew === skewOf(pid, plan))).toBe(true);
  expect(Array.from({ length: 200 }, (_, pid) => skewOf(pid, { ...plan, share: 0 })).every((skew) => skew === 0)).toBe(true);
});

it('shows a function the wrong time in every way of asking for it, and its timers stay right', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const clocks = join(directory, 'clocks.json');
  await writeFile(clocks, JSON.stringify({ ...plan, share: 1 }));
  const code = `const startMs = performance.timeOrigin + performance.now();
    const asked = [Date.now(), +new Date(), Date.parse(Date())];
    const made = [new Date(5).getTime(), new Date('2026-01-02').toISOString(), new Date() instanceof Date, Date.UTC(2026, 0)];
    console.log(JSON.stringify({ startMs, asked, made }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    env: { NODE_OPTIONS: `--import=${new URL('skewed-clock.ts', import.meta.url).href}`, CHAOS_CLOCKS: clocks },
  });
  expect(stderr).toBe('');
  const { startMs, asked, made } = JSON.parse(stdout) as { startMs: number; asked: number[]; made: unknown[] };
  for (const ms of asked) expect(Math.abs(ms - startMs)).toBeGreaterThan(100_000);
  expect(made).toEqual([5, '2026-01-02T00:00:00.000Z', true, Date.UTC(2026, 0)]);
});
