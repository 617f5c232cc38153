import * as z from 'zod';
import { type ProblemCode, problemStatus } from './problems.ts';

// Beside the problems, for the documents that describe them: who answers with one needs no schema.

const away = z.enum(['ok', 'away']);

/** What some problems say besides; which route and code says what stands with the member. */
const extensions = {
  errors: z
    .array(z.strictObject({ at: z.string().meta({ example: 'body.items.0.quantity' }), message: z.string() }))
    .meta({ description: 'With `INVALID_REQUEST`: each place that is wrong, 20 at most.' }),
  sku: z
    .string()
    .meta({ description: 'With `SOLD_OUT` or `SEAT_TAKEN`: the item that cannot be had as asked for.', example: 'tee-black-m' }),
  seats: z.array(z.string()).meta({ description: 'With `SEAT_TAKEN`: those of the seats asked for that are taken.', example: ['A-1'] }),
  available: z.int().meta({ description: 'With `SOLD_OUT`: how many units of it are left.', example: 3 }),
  limit: z.int().meta({ description: 'With `BUYER_LIMIT`: how many units a buyer may have of this sale.', example: 4 }),
  state: z.string().meta({ description: 'With `SALE_NOT_OPEN`: the state of the sale.', example: 'scheduled' }),
  orderStatus: z
    .string()
    .meta({ description: 'With `NOT_CANCELLABLE` or `NOT_REFUNDABLE`: the status of the order.', example: 'FULFILLED' }),
  saleId: z.string().meta({ description: 'With `PRODUCT_IN_USE`: a sale that sells it and has not closed.', example: 'launch-day' }),
  checks: z
    .strictObject({ redis: away, dynamodb: away })
    .meta({ description: 'With `TRY_AGAIN` of `GET /v1/health`: which dependency does not answer.' }),
};

/** RFC 9457 problem details, with the two members that the contract adds, and those that some problems have besides. */
export const ProblemDocument = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]]),
    retryable: z.boolean(),
    ...z.object(extensions).partial().shape,
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
