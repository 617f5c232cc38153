import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { type Database, isConditionFailed } from '../shared/dynamo.ts';

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
  /** Since when the stock was closed, as far as this pass knows. Passes of another closing say nothing about what was sold before this one. */
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
  /**
   * Begins the first pass of a closing: the sale's orders have not all ended, whatever was said before. Undefined where another runner has
   * begun one since `known` was read; that one goes on.
   */
  begin(saleId: string, pass: EndingPass, known: EndingPass | undefined): Promise<EndingPass | undefined>;
  /** Keeps a pass of the closing that is walked, unless all is done. */
  keep(saleId: string, pass: EndingPass): Promise<void>;
  /** By this pass all orders have ended. The first to say so of its closing is remembered. */
  finish(saleId: string, pass: EndingPass, atMs: number): Promise<void>;
}

export function cancellationRepository(database: Database, salesTable: string): CancellationRepository {
  const isCancelled = 'attribute_exists(cancellation)';
  const isNotDone = 'attribute_not_exists(cancellation.doneAtMs)';
  const isOfClosing = 'endingPass.closedAtMs = :closing';

  /** -> whether it was written; otherwise another runner was faster, and its word stands */
  async function update(
    saleId: string,
    conditions: readonly string[],
    change: Pick<UpdateCommandInput, 'UpdateExpression' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    try {
      await database.update({ TableName: salesTable, Key: { saleId }, ConditionExpression: conditions.join(' AND '), ...change });
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  return {
    async pass(saleId) {
      const { Item } = await database.get({
        TableName: salesTable,
        Key: { saleId },
        ConsistentRead: true,
        ProjectionExpression: 'endingPass',
      });
      return Item?.endingPass as EndingPass | undefined;
    },

    async begin(saleId, pass, known) {
      const isAsRead = known ? isOfClosing : 'attribute_not_exists(endingPass)';
      const hasBegun = await update(saleId, [isCancelled, isAsRead], {
        UpdateExpression: 'SET endingPass = :pass REMOVE cancellation.doneAtMs',
        ExpressionAttributeValues: { ':pass': pass, ...(known ? { ':closing': known.closedAtMs } : {}) },
      });
      return hasBegun ? pass : undefined;
    },

    async keep(saleId, pass) {
      await update(saleId, [isCancelled, isNotDone, isOfClosing], {
        UpdateExpression: 'SET endingPass = :pass',
        ExpressionAttributeValues: { ':pass': pass, ':closing': pass.closedAtMs },
      });
    },

    async finish(saleId, pass, atMs) {
      await update(saleId, [isCancelled, isNotDone, isOfClosing], {
        UpdateExpression: 'SET cancellation.doneAtMs = :atMs, endingPass = :pass',
        ExpressionAttributeValues: { ':atMs': atMs, ':pass': pass, ':closing': pass.closedAtMs },
      });
    },
  };
}
