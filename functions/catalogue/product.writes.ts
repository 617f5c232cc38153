import type { Write } from '../shared/dynamo.ts';
import type { Product } from './product.model.ts';

/**
 * A sale's claim on a product, for the transaction that creates the sale: refused when the product has changed or is gone since it
 * was read, so the frozen price is the product's price and a product is not deleted under a sale that is being made.
 */
export function enterSaleWrite(product: Product, saleIds: readonly string[], revision: string, tableName: string): Write {
  return {
    Update: {
      TableName: tableName,
      Key: { sku: product.sku },
      UpdateExpression: 'SET saleIds = :saleIds, revision = :next',
      ConditionExpression: 'revision = :read',
      ExpressionAttributeValues: { ':saleIds': saleIds, ':next': revision, ':read': product.revision },
    },
  };
}
