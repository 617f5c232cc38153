import type { Database } from '../shared/dynamo.ts';
import { readAll } from '../shared/reads.ts';
import type { Account, Movement } from './account.model.ts';
import { accountEntry, movementPrefix } from './account.writes.ts';

export interface AccountRepository {
  /** Read with strong consistency. */
  get(userId: string): Promise<Account | undefined>;
  /** Every movement in a user's partition, read with strong consistency. */
  movements(userId: string): Promise<Movement[]>;
}

export function accountRepository(database: Database, tableName: string): AccountRepository {
  return {
    async get(userId) {
      const { Item } = await database.get({ TableName: tableName, Key: { userId, entry: accountEntry }, ConsistentRead: true });
      if (!Item) return undefined;
      const { entry: _, ...account } = Item;
      return account as Account;
    },

    async movements(userId) {
      const items = await readAll(database, {
        TableName: tableName,
        KeyConditionExpression: 'userId = :user AND begins_with(#entry, :movement)',
        ExpressionAttributeNames: { '#entry': 'entry' },
        ExpressionAttributeValues: { ':user': userId, ':movement': movementPrefix },
        ConsistentRead: true,
      });
      return items as unknown as Movement[];
    },
  };
}
