import { batchGet, type Database, isConditionFailed, itemInTheWay } from '../shared/dynamo.ts';
import { scanPage } from '../shared/reads.ts';
import type { Product, ProductDetails } from './product.model.ts';

export interface ProductRepository {
  get(sku: string): Promise<Product | undefined>;
  /** Those that exist, in no particular order. */
  getMany(skus: readonly string[]): Promise<Product[]>;
  list(page: { limit: number; after?: string | undefined }): Promise<{ products: Product[]; next: string | undefined }>;
  create(product: Product): Promise<{ outcome: 'created' | 'already-exists' }>;
  replace(sku: string, details: ProductDetails, stamp: { revision: string; nowMs: number }): Promise<Product | undefined>;
  /** Deletes the product if nothing has changed since it was read. */
  deleteUnchanged(product: Product): Promise<{ outcome: 'deleted' | 'changed' }>;
}

export function productRepository(database: Database, tableName: string): ProductRepository {
  return {
    async get(sku) {
      const { Item } = await database.get({ TableName: tableName, Key: { sku }, ConsistentRead: true });
      return Item as Product | undefined;
    },

    async getMany(skus) {
      const items = await batchGet(
        database,
        tableName,
        skus.map((sku) => ({ sku })),
      );
      return items as unknown as Product[];
    },

    async list(page) {
      const { items, next } = await scanPage(database, tableName, 'sku', page);
      return { products: items as unknown as Product[], next };
    },

    async create(product) {
      try {
        await database.put({
          TableName: tableName,
          Item: product,
          ConditionExpression: 'attribute_not_exists(sku)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { outcome: 'created' };
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        // The client sends a call again whose reply was lost: what stands there may be this very product.
        return { outcome: itemInTheWay(error)?.revision === product.revision ? 'created' : 'already-exists' };
      }
    },

    async replace(sku, details, { revision, nowMs }) {
      const { description, imageUrl } = details;
      const set = ['#name = :name', 'priceMinor = :price', '#currency = :currency', 'updatedAtMs = :now', 'revision = :revision'];
      const remove: string[] = [];
      (description === undefined ? remove : set).push(description === undefined ? 'description' : 'description = :description');
      (imageUrl === undefined ? remove : set).push(imageUrl === undefined ? 'imageUrl' : 'imageUrl = :imageUrl');
      try {
        const { Attributes } = await database.update({
          TableName: tableName,
          Key: { sku },
          UpdateExpression: `SET ${set.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}`,
          ConditionExpression: 'attribute_exists(sku)',
          ExpressionAttributeNames: { '#name': 'name', '#currency': 'currency' },
          ExpressionAttributeValues: {
            ':name': details.name,
            ':price': details.priceMinor,
            ':currency': details.currency,
            ':now': nowMs,
            ':revision': revision,
            ...(description === undefined ? {} : { ':description': description }),
            ...(imageUrl === undefined ? {} : { ':imageUrl': imageUrl }),
          },
          ReturnValues: 'ALL_NEW',
        });
        return Attributes as Product;
      } catch (error) {
        if (isConditionFailed(error)) return undefined;
        throw error;
      }
    },

    async deleteUnchanged({ sku, revision }) {
      try {
        await database.delete({
          TableName: tableName,
          Key: { sku },
          ConditionExpression: 'revision = :read',
          ExpressionAttributeValues: { ':read': revision },
        });
        return { outcome: 'deleted' };
      } catch (error) {
        if (isConditionFailed(error)) return { outcome: 'changed' };
        throw error;
      }
    },
  };
}
