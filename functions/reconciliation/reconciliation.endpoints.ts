import { rfc3339 } from '../shared/clock.ts';
import { type Endpoint, endpoint } from '../shared/http.ts';
import { encodeCursor } from '../shared/page.ts';
import { Problem } from '../shared/problems.ts';
import { type RunPorts, reconcileLive, reconcileOne } from './reconcile.ts';
import { listReconciliationsRoute, reconcileRoute } from './reconciliation.routes.ts';
import { type ReconciliationAnswer, reconciliationList } from './reconciliation.schemas.ts';
import type { RunReport } from './report.model.ts';
import type { Reports } from './report.repository.ts';

export interface ReconciliationPorts {
  /** What a run needs that must be done in so many milliseconds. */
  readonly run: (runMsMax: number) => Promise<RunPorts>;
  readonly reports: Reports;
}

/** No step is begun later than this, so that the caller gets an answer, and the report is written. */
const requestMsMax = 20_000;

export const reconciliationEndpoints = ({ run, reports }: ReconciliationPorts): Endpoint[] => [
  endpoint(reconcileRoute, async ({ body: { saleId } }) => {
    const ports = await run(requestMsMax);
    const report = saleId === undefined ? await reconcileLive('request', ports) : await reconcileOne(saleId, 'request', ports);
    if (!report) throw new Problem('NOT_FOUND', 'There is no such sale.');
    return { body: answerOf(report) };
  }),

  endpoint(listReconciliationsRoute, async ({ query: { limit, cursor } }) => {
    const { reports: found, next } = await reports.page(limit, cursor);
    return { body: { items: found.map(answerOf), nextCursor: next === undefined ? null : encodeCursor(reconciliationList, next) } };
  }),
];

const answerOf = ({ startedAtMs, finishedAtMs, sales, ...report }: RunReport): ReconciliationAnswer => ({
  ...report,
  startedAt: rfc3339(startedAtMs),
  finishedAt: rfc3339(finishedAtMs),
  sales: sales.map((sale) => ({ ...sale, repairs: [...sale.repairs] })),
});
