import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Database } from '../shared/dynamo.ts';

/** Where a walk over a sale's orders stands: a partition of the index by sale, and the key in it after which it goes on. */
export interface OrderPosition {
  readonly shard: number;
  readonly after?: string;
}

/**
 * One walk over all orders of a sale that was called off. What it says is true whoever writes it: every order that the index showed before
 * `position` has been looked at since `startedAtMs`, and `failed` of them could not be ended.
 */
export interface EndingPass {
  /** When the stock was first seen to sell no more, before the first pass. */
  readonly closedAtMs: number;
  readonly startedAtMs: number;
  readonly position: OrderPosition;
  readonly failed: number;
  readonly ended: boolean;
}

/** How far the orders of sales that were called off are ended. Only this writes it; the sale's version has nothing to do with it. */
export interface CancellationRepository {
  /** The pass under way, or the one that ended last, read with strong consistency. */
  pass(saleId: string): Promise<EndingPass | undefined>;
  /** Keeps the pass, unless all is done. */
  keep(saleId: string, pass: EndingPass): Promise<void>;
  /** All orders have ended. The first to say so is remembered. */
  finish(saleId: string, atMs: number): Promise<void>;
}

export function cancellationRepository(database: Database, salesTable: string): CancellationRepository {
  const isCancelled = 'attribute_exists(cancellation)';
  const isNotDone = 'attribute_not_exists(cancellation.doneAtMs)';

  async function unlessDone(saleId: string, change: string, value: unknown): Promise<void> {
    try {
      await database.send(
        new UpdateCommand({
          TableName: salesTable,
          Key: { saleId },
          UpdateExpression: change,
          ConditionExpression: [isCancelled, isNotDone].join(' AND '),
          ExpressionAttributeValues: { ':value': value },
        }),
      );
    } catch (error) {
      // Another runner was faster: its word stands.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  return {
    async pass(saleId) {
      const { Item } = await database.send(
        new GetCommand({ TableName: salesTable, Key: { saleId }, ConsistentRead: true, ProjectionExpression: 'endingPass' }),
      );
      return Item?.endingPass as EndingPass | undefined;
    },
    keep: (saleId, pass) => unlessDone(saleId, 'SET endingPass = :value', pass),
    finish: (saleId, atMs) => unlessDone(saleId, 'SET cancellation.doneAtMs = :value REMOVE endingPass', atMs),
  };
}
