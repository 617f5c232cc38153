import * as z from 'zod';
import { SaleId } from '../shared/ids.ts';

/** Where a sale stands in a path. By itself: whoever serves a route of a sale needs nothing else of its schemas. */
export const SalePath = z.strictObject({ saleId: SaleId });
