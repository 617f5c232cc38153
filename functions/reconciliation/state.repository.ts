import type { Database } from '../shared/dynamo.ts';

/** What is remembered of a sale between reconciliations. */
export interface SaleMemory {
  /** The Redis that has the sale: when it is another one, it may have forgotten what the former knew. */
  readonly identity?: string;
  /** The load of the sale in that Redis. One that is loaded anew forgets as well, though it may be the same Redis. */
  readonly epoch?: number;
  /** Since when the sale is known to be marked as behind. */
  readonly behindSinceMs?: number;
  /** Orders that were created and changed until then have been compared. */
  readonly comparedToMs?: number;
  /** When everything was compared last. */
  readonly fullAtMs?: number;
}

export interface Memories {
  of(saleId: string): Promise<SaleMemory>;
  /** Writes these parts alone; null forgets one. */
  note(saleId: string, changes: { readonly [Part in keyof SaleMemory]?: SaleMemory[Part] | null }): Promise<void>;
}

const keyOf = (saleId: string) => ({ list: `sale#${saleId}`, entry: 'memory' });

export function saleMemories(database: Database, TableName: string): Memories {
  return {
    async of(saleId) {
      const { Item } = await database.get({ TableName, Key: keyOf(saleId), ConsistentRead: true });
      return (Item as SaleMemory | undefined) ?? {};
    },

    async note(saleId, changes) {
      const parts = Object.entries(changes).filter(([, value]) => value !== undefined);
      if (parts.length === 0) return;
      const set = parts.flatMap(([part, value]) => (value === null ? [] : [`#${part} = :${part}`]));
      const remove = parts.flatMap(([part, value]) => (value === null ? [`#${part}`] : []));
      const values = Object.fromEntries(parts.flatMap(([part, value]) => (value === null ? [] : [[`:${part}`, value]])));
      await database.update({
        TableName,
        Key: keyOf(saleId),
        UpdateExpression: [set.length > 0 ? `SET ${set.join(', ')}` : '', remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '']
          .join(' ')
          .trim(),
        ExpressionAttributeNames: Object.fromEntries(parts.map(([part]) => [`#${part}`, part])),
        ...(set.length > 0 ? { ExpressionAttributeValues: values } : {}),
      });
    },
  };
}
