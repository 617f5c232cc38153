import type { Context } from 'aws-lambda';
import { log } from '../shared/telemetry.ts';
import { reconcileLive } from './reconcile.ts';
import { reconcilePorts } from './reconciliation.wiring.ts';
import { sumOf } from './report.model.ts';

/** Left for the report once no further step is begun. */
const reserveMs = 20_000;

/** Runs every five minutes, and whenever somebody asks for it. */
export async function handler(_event: unknown, context: Context): Promise<{ readonly sales: number; readonly mended: number }> {
  const hasTime = () => context.getRemainingTimeInMillis() > reserveMs;
  const { reconciliationId, sales, salesCount } = await reconcileLive('schedule', { ...(await reconcilePorts()), hasTime });
  const done = { sales: salesCount, mended: sales.reduce((sum, { mended }) => sum + sumOf(mended), 0) };
  log.info('reconciled', { reconciliationId, ...done });
  return done;
}
