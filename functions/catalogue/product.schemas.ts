import * as z from 'zod';
import { Sku } from '../shared/ids.ts';
import { Currency, PriceMinor } from '../shared/money.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import { ProblemDocument } from '../shared/problem.schemas.ts';
import { Line, Paragraphs, WebAddress } from '../shared/text.ts';

const details = {
  name: Line(200).meta({ example: 'Launch tee, black, M' }),
  description: Paragraphs(4_000).optional().meta({ example: 'Heavy cotton, printed in Lisbon.' }),
  priceMinor: PriceMinor,
  currency: Currency,
  imageUrl: WebAddress(2_000).optional().meta({ example: 'https://shop.example/tee.jpg' }),
};

export const NewProduct = z.strictObject({ sku: Sku, ...details }).meta({ id: 'NewProduct', description: 'A product to be added.' });
export type NewProduct = z.output<typeof NewProduct>;

export const ProductUpdate = z
  .strictObject({ sku: Sku.optional().meta({ description: 'May be repeated here; if so, it must be the one of the path.' }), ...details })
  .meta({ id: 'ProductUpdate', description: 'All of a product anew: what is left out is gone afterwards.' });
export type ProductUpdate = z.output<typeof ProductUpdate>;

export const ProductAnswer = z
  .strictObject({
    ...NewProduct.shape,
    createdAt: z.iso.datetime().meta({ example: '2026-03-01T09:00:00.000Z' }),
    updatedAt: z.iso.datetime().meta({ example: '2026-03-01T09:00:00.000Z' }),
  })
  .meta({ id: 'Product' });
export type ProductAnswer = z.output<typeof ProductAnswer>;

export const productsPerImportMax = 500;

/**
 * Products to be imported. What each of them must be is looked at one by one, because one that is wrong is no reason to refuse the others; the
 * document shows it all the same.
 */
export const ProductImport = z
  .strictObject({
    items: z
      .array(
        z.unknown().meta({
          override: ({ jsonSchema }) => {
            Object.assign(jsonSchema, { $ref: '#/components/schemas/NewProduct' });
          },
        }),
      )
      .min(1)
      .max(productsPerImportMax),
  })
  .meta({ id: 'ProductImport' });

export const ImportedProduct = z
  .strictObject({
    sku: Sku.optional().meta({ description: 'Left out where the item had none that could be one.' }),
    outcome: z.enum(['created', 'replaced', 'unchanged', 'refused']),
    status: z
      .int()
      .meta({ description: '201 for `created`, 200 for `replaced` and `unchanged`, the problem’s for `refused`.', example: 201 }),
    problem: ProblemDocument.optional().meta({ description: 'Why it was refused.' }),
  })
  .meta({ id: 'ImportedProduct' });
export type ImportedProduct = z.input<typeof ImportedProduct>;

export const ProductImportAnswer = z
  .strictObject({ items: z.array(ImportedProduct).meta({ description: 'In the order of the request.' }) })
  .meta({ id: 'ProductImportAnswer' });

export const ProductPath = z.strictObject({ sku: Sku });
export const productList = 'products';
export const ProductListQuery = z.strictObject(pageQuery(productList));
export const ProductPage = pageOf(ProductAnswer).meta({ id: 'ProductPage' });
