import { describe, expect, it } from 'vitest';
import { Latencies } from '../../../lib/client/latencies.ts';
import { showProgress } from '../../../lib/client/progress.ts';
import { outcomeCounts, summaryOf, table, verdictLines } from '../../../lib/client/report.ts';
import { verdictOf } from '../../../lib/client/verdict.ts';
import { aCleanSale } from './evidence.ts';

describe('the report on a crowd', () => {
  it('counts outcomes, most frequent first', () => {
    const { purchases } = aCleanSale();
    expect(outcomeCounts(purchases)).toEqual([
      ['ORDERED', 2],
      ['SOLD_OUT', 1],
    ]);
  });

  it('says clean in one line, and names what is broken otherwise', () => {
    const sale = aCleanSale();
    const figures = { sold: 4, units: 4, refused: 1 };
    expect(verdictLines(verdictOf(sale), figures)).toMatch(
      /^VERDICT: clean\. 4 of 4 units sold, 1 buyers refused, \d+ guarantees checked\.$/,
    );
    const broken = verdictLines(verdictOf({ ...sale, audit: { ...sale.audit, redis: { agrees: false, drift: ['unit 3'] } } }), figures);
    expect(broken).toContain('VERDICT: BROKEN. 1 of');
    expect(broken).toContain('Redis agrees with the database: drift: ["unit 3"]');
  });

  it('shows requests, orders and audit', () => {
    const { purchases, audit, orders } = aCleanSale();
    const requests = new Latencies();
    for (const ms of [1, 2, 3]) requests.record(ms);
    const rush = { purchases, requests, buyers: requests, requestsSent: 4, picks: 3, failedAnswers: 1, tookMs: 500 };
    const text = summaryOf({ saleId: 'sale', rush, audit, orders, quiet: true });
    expect(text).toContain('1 answers of 5xx or none at all, 1 retries');
    expect(text).not.toContain('seats');
    const seated = { ...rush, requestsSent: 9, picks: 8 };
    expect(summaryOf({ saleId: 'sale', rush: seated, audit, orders, quiet: true })).toContain('1 retries, 5 times other seats picked');
    expect(text).toContain('4 requests in 0.50 s: 8 requests/s');
    expect(text).toContain('all ended 1.00 s after the first was placed');
    expect(text).toMatch(/tee +4 +0 +0 +4 +0 +yes/);
  });

  it('lines its columns up', () => {
    expect(
      table([
        ['a', 'long'],
        ['longer', 1],
      ]),
    ).toBe('  a       long\n  longer     1');
  });
});

describe('latencies', () => {
  it('are read as percentiles within a thousandth', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1_000; ms++) latencies.record(ms);
    const { p50, p90, p99, max } = latencies.percentiles();
    for (const [seen, true_] of [
      [p50, 500],
      [p90, 900],
      [p99, 990],
      [max, 1_000],
    ] as const)
      expect(Math.abs(seen - true_) / true_).toBeLessThan(0.002);
  });
});

describe('progress without a terminal', () => {
  it('is a line a second at most, and the last state of each stage', () => {
    const lines: string[] = [];
    let nowMs = 0;
    const stream = { isTTY: false, write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;
    const progress = showProgress(stream, () => nowMs);
    progress.stage('buying', 300);
    for (let count = 0; count < 300; count++) {
      nowMs += 10;
      progress.step(count < 200 ? 'ORDERED' : 'SOLD_OUT');
    }
    progress.stage('settling', 1);
    progress.step();
    progress.end();
    progress.end();
    expect(lines).toEqual([
      'buying    100/300  ORDERED 100\n',
      'buying    200/300  ORDERED 200\n',
      'buying    300/300  ORDERED 200  SOLD_OUT 100\n',
      'settling  1/1\n',
    ]);
  });
});
