import type { Clock } from '../shared/clock.ts';
import { inParallel } from '../shared/parallel.ts';
import { again, untilSettled } from '../shared/retry.ts';
import { log } from '../shared/telemetry.ts';
import { hasDetails, type Product } from './product.model.ts';
import type { ProductRepository } from './product.repository.ts';
import type { NewProduct } from './product.schemas.ts';

export interface ImportProductsPorts {
  readonly products: Pick<ProductRepository, 'get' | 'getMany' | 'create' | 'replace'>;
  readonly newId: () => string;
  readonly clock: Clock;
}

export type ImportOutcome = 'created' | 'replaced' | 'unchanged' | 'repeated' | 'unfinished';

/** Writes at the same moment. */
const lanes = 16;
/** No product begins later than this, so that the answer comes before the function's time is over. */
const beginMsMax = 20_000;

/**
 * Brings products to what is said of them, in the order of the items: creates what is not there, replaces what is different, and leaves the rest
 * alone. So it can be repeated. Of several items with one sku the first counts. What fails for one product is that one's outcome: it may or may not
 * have been written, and the next attempt finds out.
 */
export async function importProducts(items: readonly NewProduct[], ports: ImportProductsPorts): Promise<ImportOutcome[]> {
  const { products, clock } = ports;
  const beganMs = clock.nowMs();
  const first = new Map(items.map((item, index) => [item.sku, index] as const).reverse());
  const known = new Map((await products.getMany([...first.keys()])).map((product) => [product.sku, product]));
  return inParallel(items, lanes, async (item, index) => {
    if (first.get(item.sku) !== index) return 'repeated';
    if (clock.nowMs() - beganMs > beginMsMax) return 'unfinished';
    try {
      return await importProduct(item, known.get(item.sku), ports);
    } catch (error) {
      log.warn('a product could not be imported', { sku: item.sku, error });
      return 'unfinished';
    }
  });
}

/** `seen`: the product as it was a moment ago, if it was there. */
function importProduct(item: NewProduct, seen: Product | undefined, { products, newId, clock }: ImportProductsPorts) {
  const { sku, ...details } = item;
  let present = seen;
  let isFresh = true;
  return untilSettled<ImportOutcome>(async () => {
    if (!isFresh) present = await products.get(sku);
    isFresh = false;
    const nowMs = clock.nowMs();
    if (!present) {
      const created = await products.create({ ...item, createdAtMs: nowMs, updatedAtMs: nowMs, revision: newId(), saleIds: [] });
      // Somebody else has made it meanwhile, perhaps just like this.
      return created.outcome === 'created' ? 'created' : again;
    }
    if (hasDetails(present, details)) return 'unchanged';
    // It may have been deleted meanwhile.
    return (await products.replace(sku, details, { revision: newId(), nowMs })) ? 'replaced' : again;
  });
}
