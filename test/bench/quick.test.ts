import { describe, expect, it } from 'vitest';
import { picture } from '../../bench/lib/picture.ts';
import { runBench } from '../../bench/lib/run.ts';
import { findProgram } from '../../lib/local/redis.ts';

// Whether it runs to its end with tiny sizes, and what ours did there; how fast anything was is not looked at.

const quick = (only: string) =>
  runBench({ only: [only], quick: true, rounds: 1, seed: 1 }, { signal: new AbortController().signal, log: () => {}, onSection: () => {} });

describe.skipIf(!findProgram())('the bench, on a native Redis', () => {
  it('gets the answer that it expects from every call at the level of scripts', async () => {
    const report = await quick('script-level');
    const [section] = report.sections;
    expect(section?.faults).toEqual([]);
    expect(section?.rows.filter(({ value }) => !(value >= 0))).toEqual([]);
    expect(picture(report)).toContain('</svg>');
  });

  it('lets every mechanism sell, and finds nothing oversold, sold twice, wrongly refused or leaked in ours', async () => {
    const report = await quick('mechanisms');
    const [section] = report.sections;
    expect(section?.faults).toEqual([]);
    const sold = section?.rows.filter(({ figure }) => figure === 'sold') ?? [];
    expect(sold.length).toBe(13);
    expect(sold.filter(({ value }) => value === 0)).toEqual([]);
    // The lock leaks when its holder dies: that nothing was found in ours means something.
    const leaks = section?.rows.filter(({ group }) => group?.startsWith('Units that nobody can buy')) ?? [];
    expect(leaks.find(({ what }) => what.startsWith('lock with TTL, polled'))?.value).toBe(2);
    expect(leaks.find(({ what }) => what === 'reserve script')?.value).toBe(0);
  });

  it('sells the last unit of a sale over several shards, and nothing twice, wherever its shards are', async () => {
    const report = await quick('shards');
    const [section] = report.sections;
    expect(section?.faults).toEqual([]);
    const sold = section?.rows.filter(({ figure }) => figure === 'sold') ?? [];
    expect(sold.map(({ value }) => value)).toEqual([60, 60, 60, 60, 20, 20, 20, 20, 60, 60, 60]);
    // One shard has no other to look at; of six some are dry before the others.
    const looked = (what: string) => section?.rows.filter((row) => row.what === what && row.figure === 'looked elsewhere') ?? [];
    expect(looked('1 shard').map(({ value }) => value)).toEqual([0, 0]);
    expect(looked('6 shards, two a master').every(({ value }) => value > 0)).toBe(true);
    expect(picture(report)).toContain('two on one master');
  });
});
