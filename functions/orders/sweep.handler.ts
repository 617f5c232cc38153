import type { Context } from 'aws-lambda';
import { log } from '../shared/telemetry.ts';
import { type SweepReport, sweep } from './sweep.ts';
import { sweepPorts } from './sweep.wiring.ts';

/** Runs every minute, and whenever somebody asks for it. */
export async function handler(_event: unknown, context: Context): Promise<SweepReport> {
  const report = await sweep({ ...(await sweepPorts()), remainingMs: () => context.getRemainingTimeInMillis() });
  log.info('swept', { ...report });
  return report;
}
