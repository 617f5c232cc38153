import { hasClosed, type Sale } from '../sales/sale.model.ts';
import type { Clock } from '../shared/clock.ts';
import { again, untilSettled } from '../shared/retry.ts';
import type { ProductRepository } from './product.repository.ts';

export interface DeleteProductPorts {
  readonly products: Pick<ProductRepository, 'get' | 'deleteUnchanged'>;
  readonly sales: { getMany(saleIds: readonly string[]): Promise<Sale[]> };
  readonly clock: Clock;
}

export type DeleteProductOutcome = { outcome: 'deleted' | 'not-found' } | { outcome: 'in-use'; saleId: string };

/**
 * Deletes a product that no live sale sells. The sales are read first and the product is deleted only if it is still as it was read
 * before them: a sale that was created meanwhile has changed it.
 */
export function deleteProduct(sku: string, { products, sales, clock }: DeleteProductPorts): Promise<DeleteProductOutcome> {
  return untilSettled<DeleteProductOutcome>(async () => {
    const product = await products.get(sku);
    if (!product) return { outcome: 'not-found' };
    const live = (await sales.getMany(product.saleIds)).find((sale) => !hasClosed(sale, clock.nowMs()));
    if (live) return { outcome: 'in-use', saleId: live.saleId };
    const deleted = await products.deleteUnchanged(product);
    return deleted.outcome === 'deleted' ? { outcome: 'deleted' } : again;
  });
}
