import { parse } from '../shared/http.ts';
import { Sku } from '../shared/ids.ts';
import { Problem, problemResponse } from '../shared/problems.ts';
import type { ImportOutcome } from './import-products.ts';
import { type ImportedProduct, NewProduct } from './product.schemas.ts';

/** An item of the request: the product that it describes, or what is wrong with it. */
export type ReadItem = { readonly product: NewProduct } | { readonly sku: string | undefined; readonly problem: Problem };

export function readItem(item: unknown, index: number): ReadItem {
  try {
    return { product: parse(NewProduct, item, `body.items.${index}`) };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { sku: Sku.safeParse((item as { sku?: unknown } | null)?.sku).data, problem };
  }
}

const statusOf = { created: 201, replaced: 200, unchanged: 200 } as const;

/** What became of one item, in the words of the contract. `path` is the request's own. */
export function importedProduct(item: ReadItem, outcome: ImportOutcome | undefined, path: string): ImportedProduct {
  if (!('product' in item)) return refused(item.sku, item.problem, path);
  const { sku } = item.product;
  switch (outcome) {
    case 'created':
    case 'replaced':
    case 'unchanged':
      return { sku, outcome, status: statusOf[outcome] };
    case 'repeated':
      return refused(sku, new Problem('INVALID_REQUEST', `There is an item ${sku} before this one; the first counts.`), path);
    case 'unfinished':
    case undefined:
      return refused(sku, new Problem('TRY_AGAIN', 'Whether the product was written is not known; send it again.'), path);
  }
}

function refused(sku: string | undefined, problem: Problem, path: string): ImportedProduct {
  const { status, body } = problemResponse(problem, path);
  return { ...(sku === undefined ? {} : { sku }), outcome: 'refused', status, problem: body };
}
