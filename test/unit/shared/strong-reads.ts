import { BatchGetCommand, type DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { vi } from 'vitest';

/** What is read of a table without strong consistency: the bundled server would give the same, the real one an answer of yesterday. */
export function watchReads(database: DynamoDBDocumentClient): { weak: () => string[] } {
  const sent = vi.spyOn(database, 'send');
  const weakly = (command: unknown): string[] => {
    const isRead = command instanceof GetCommand || command instanceof QueryCommand || command instanceof ScanCommand;
    // An index is never read in any other way.
    const isOfIndex = (command instanceof QueryCommand || command instanceof ScanCommand) && command.input.IndexName !== undefined;
    if (isRead) return isOfIndex || command.input.ConsistentRead === true ? [] : [String(command.input.TableName)];
    if (!(command instanceof BatchGetCommand)) return [];
    return Object.entries(command.input.RequestItems ?? {}).flatMap(([table, { ConsistentRead }]) => (ConsistentRead ? [] : [table]));
  };
  return { weak: () => sent.mock.calls.flatMap(([command]) => weakly(command)) };
}
