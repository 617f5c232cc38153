/** What an operator says about a product. */
export interface ProductDetails {
  readonly name: string;
  readonly description?: string | undefined;
  readonly priceMinor: number;
  readonly currency: string;
  readonly imageUrl?: string | undefined;
}

export interface Product extends ProductDetails {
  readonly sku: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Another one after every write, never one that was there before: who read the product can tell that nothing changed since. */
  readonly revision: string;
  /** The sales that sell it; closed ones are dropped now and then. Written by the transaction that creates a sale. */
  readonly saleIds: readonly string[];
}

/** Whether all that is said of the product is so already. */
export const hasDetails = (product: Product, said: ProductDetails): boolean =>
  (['name', 'description', 'priceMinor', 'currency', 'imageUrl'] as const satisfies readonly (keyof ProductDetails)[]).every(
    (member) => product[member] === said[member],
  );

/** The most sales that a product may be in at once. */
export const salesPerProductMax = 1_000;
/** With more sales than this, closed ones are looked for and dropped when the next is created. */
export const salesBeforePruning = 20;
