import { describe, expect, it } from 'vitest';
import { hasDetails, type Product } from '../../../functions/catalogue/product.model.ts';

const said = { name: 'Tee', description: 'A tee', priceMinor: 100, currency: 'EUR', imageUrl: 'https://example.com/tee.png' };
const product: Product = { ...said, sku: 'tee', createdAtMs: 1, updatedAtMs: 2, revision: 'r', saleIds: ['sale'] };

describe('a product', () => {
  it('has what is said of it when every detail is the same, whatever else it has', () => {
    expect(hasDetails(product, said)).toBe(true);
    expect(hasDetails({ ...product, description: undefined }, { ...said, description: undefined })).toBe(true);
  });

  it.each([
    { name: 'Other' },
    { description: 'Other' },
    { description: undefined },
    { priceMinor: 101 },
    { currency: 'USD' },
    { imageUrl: undefined },
  ])('does not have it when %j', (changes) => {
    expect(hasDetails(product, { ...said, ...changes })).toBe(false);
  });
});
