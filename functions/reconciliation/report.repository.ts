import type { Database } from '../shared/dynamo.ts';
import type { RunReport } from './report.model.ts';

export interface Reports {
  put(report: RunReport): Promise<void>;
  /** Newest first, beginning after the position. */
  page(limit: number, after?: string): Promise<{ reports: RunReport[]; next: string | undefined }>;
}

const list = 'reports';
const keptSeconds = 90 * 24 * 3600;
/** In order of time, and unique. */
const entryOf = ({ startedAtMs, reconciliationId }: RunReport) => `${String(startedAtMs).padStart(14, '0')}#${reconciliationId}`;

export function reportRepository(database: Database, TableName: string): Reports {
  return {
    async put(report) {
      const expiresAtSeconds = Math.floor(report.finishedAtMs / 1000) + keptSeconds;
      await database.put({ TableName, Item: { list, entry: entryOf(report), expiresAtSeconds, ...report } });
    },

    async page(limit, after) {
      const { Items = [] } = await database.query({
        TableName,
        KeyConditionExpression: `#list = :list${after === undefined ? '' : ' AND #entry < :after'}`,
        ExpressionAttributeNames: { '#list': 'list', ...(after === undefined ? {} : { '#entry': 'entry' }) },
        ExpressionAttributeValues: { ':list': list, ...(after === undefined ? {} : { ':after': after }) },
        ScanIndexForward: false,
        Limit: limit + 1,
        ConsistentRead: true,
      });
      const reports = Items.slice(0, limit).map(
        ({ list: _l, entry: _e, expiresAtSeconds: _x, ...report }) => report as unknown as RunReport,
      );
      const last = reports.at(-1);
      return { reports, next: Items.length > limit && last ? entryOf(last) : undefined };
    },
  };
}
