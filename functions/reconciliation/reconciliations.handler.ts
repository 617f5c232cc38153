import { systemClock as clock } from '../shared/clock.ts';
import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { reconciliationEndpoints } from './reconciliation.endpoints.ts';
import { reconcilePorts, reports } from './reconciliation.wiring.ts';

async function run(runMsMax: number) {
  const untilMs = clock.nowMs() + runMsMax;
  return { ...(await reconcilePorts()), hasTime: () => clock.nowMs() < untilMs };
}

/** Reconciliations that operators ask for, and the reports of all: alone, because a comparison keeps a core busy for its whole time. */
export const handler = httpHandler(reconciliationEndpoints({ run, reports }), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});
