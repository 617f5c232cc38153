import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bundleHandlers, startRedisServer } from './machine.ts';
import { crowdedSale } from './scenario.ts';

const shared = { bundles: bundleHandlers(), redis: startRedisServer() };
const run = (seed: number) => crowdedSale({ seed, ...shared });

const script = fileURLToPath(new URL('scenario.child.ts', import.meta.url));
const inAnotherProcess = async (seed: number) => (await promisify(execFile)(process.execPath, [script, String(seed)])).stdout;

describe('a seed', () => {
  it('gives the same history each time, whatever ran in between, and in another process too', async () => {
    const elsewhere = inAnotherProcess(1);
    const first = await run(1);
    const others = [await run(2), await run(3)];
    expect(await run(1)).toEqual(first);
    expect(new Set([first, ...others].map(({ hash }) => hash)).size).toBe(3);
    expect(await elsewhere).toBe(first.hash);
  });
});
