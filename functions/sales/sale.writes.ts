import type { Write } from '../shared/dynamo.ts';
import type { Sale } from './sale.model.ts';

/** Puts a new sale; refused when its id is taken. Its stock is not loaded yet. */
export const createSaleWrite = (sale: Sale, tableName: string): Write => ({
  Put: {
    TableName: tableName,
    Item: { ...sale, stockLoaded: false },
    ConditionExpression: 'attribute_not_exists(saleId)',
  },
});
