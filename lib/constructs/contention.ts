import { Construct } from 'constructs';
import { ourMetric } from './metrics.ts';
import type { Operations } from './operations.ts';

/** Statuses that steps begin from while others may be at the same order. */
const contendedFrom = ['PENDING', 'RESERVED', 'CONFIRMED', 'REFUNDING'] as const;
const retryReasons = ['conflict', 'throttled', 'unanswered'] as const;
/** What leases are taken for. */
const leasePurposes = ['rebuild', 'reconciliation'] as const;

/** How much of the work is done twice because several were at the same thing: no lock is on the hot path, so this is what takes its place. */
export class Contention extends Construct {
  constructor(scope: Construct, id: string, { operations }: { readonly operations: Operations }) {
    super(scope, id);
    const conflicts = ourMetric('TransactionRetries', 'conflict', 'Sum');
    operations.alarm(this, 'Conflicts', {
      metric: conflicts,
      threshold: 1_000,
      periods: 5,
      runbook:
        'Over a thousand transactions a minute meet others at the same rows. Orders still come out right, later. See which rows a crowd shares: units of one sale never are, an account or a buyer’s own orders may be.',
    });
    operations.alarm(this, 'Throttling', {
      metric: ourMetric('TransactionRetries', 'throttled', 'Sum'),
      threshold: 100,
      periods: 3,
      runbook:
        'DynamoDB refuses transactions for their number. On-demand tables grow by themselves; warm their throughput before the next sale.',
    });
    operations.alarm(this, 'Leases', {
      metric: ourMetric('LeaseContended', 'rebuild', 'Sum'),
      threshold: 20,
      periods: 5,
      runbook:
        'For five minutes rebuilds have met others of the same sale. See in the log of the rebuild whether one is stuck; its lease ends by itself.',
    });
    operations.show('Contention', {
      'Lost races': contendedFrom.map((status) => ourMetric('LostRaces', status, 'Sum')),
      'Transactions sent again': retryReasons.map((reason) => ourMetric('TransactionRetries', reason, 'Sum')),
      'Leases contended': leasePurposes.map((purpose) => ourMetric('LeaseContended', purpose, 'Sum')),
      'Lease wait': leasePurposes.map((purpose) => ourMetric('LeaseWait', purpose, 'Maximum')),
    });
  }
}
