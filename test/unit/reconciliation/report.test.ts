import { describe, expect, it } from 'vitest';
import {
  repairsShownMax,
  SaleFindings,
  type SaleReport,
  salesShown,
  salesShownMax,
} from '../../../functions/reconciliation/report.model.ts';

const report = (saleId: string, drift: number): SaleReport => {
  const findings = new SaleFindings();
  for (let n = 0; n < drift; n++) findings.add({ kind: 'unit-leaked', subject: `${n}`, detail: 'x'.repeat(5_000) }, 'mended', 2);
  return {
    saleId,
    scope: 'all',
    outcome: 'compared',
    passes: 1,
    compared: { units: 0, holds: 0, orders: 0 },
    drift: findings.drift,
    mended: findings.mended,
    repairs: findings.repairs,
    behind: false,
    tookMs: 1,
  };
};

describe('a report', () => {
  it('counts everything and lists a bounded part of it', () => {
    expect(report('sale', 3)).toMatchObject({ drift: { 'unit-leaked': 6 }, mended: { 'unit-leaked': 6 } });
    expect(report('sale', 1_000)).toMatchObject({ drift: { 'unit-leaked': 2_000 } });
    expect(report('sale', 1_000).repairs).toHaveLength(repairsShownMax);
  });

  it('counts what was left as drift that is not mended', () => {
    const findings = new SaleFindings();
    findings.add({ kind: 'counter-wrong', subject: 'tee', detail: '' }, 'left');
    expect([findings.drift, findings.mended]).toEqual([{ 'counter-wrong': 1 }, {}]);
  });

  it('fits into one item of a table, however many sales drifted, and shows those with drift first', () => {
    const sales = salesShown([report('quiet', 0), ...Array.from({ length: 200 }, (_, n) => report(`sale-${n}`, n + 1))]);
    expect(sales).toHaveLength(salesShownMax);
    expect(sales[0]?.saleId).toBe('sale-199');
    expect(Buffer.byteLength(JSON.stringify(sales))).toBeLessThan(200_000);
  });
});
