import * as z from 'zod';

const nothingOr = <S extends z.ZodType>(schema: S) => schema.nullish();

/** GraphQL over HTTP: the parameters of a request. What may be left out may be null as well. */
export const GraphqlRequest = z
  .strictObject({
    query: z.string().min(1).meta({ description: 'A GraphQL document.', example: '{ me { userId balanceMinor currency } }' }),
    variables: nothingOr(z.record(z.string(), z.unknown())).meta({
      description: 'Values of the document’s variables.',
      example: { saleId: 'launch-day' },
    }),
    operationName: nothingOr(z.string()).meta({ description: 'Which of several operations of the document is meant.', example: 'Buy' }),
    extensions: nothingOr(z.record(z.string(), z.unknown())).meta({ description: 'What tools send along. Ignored.' }),
  })
  .meta({ id: 'GraphqlRequest' });
export type GraphqlRequest = z.output<typeof GraphqlRequest>;

const GraphqlFailure = z
  .looseObject({
    message: z.string().meta({ example: 'Of tee-black-m there are 0 left.' }),
    path: z
      .array(z.union([z.string(), z.int()]))
      .optional()
      .meta({ description: 'The field that could not be answered.', example: ['placeOrder'] }),
    locations: z
      .array(z.looseObject({ line: z.int(), column: z.int() }))
      .optional()
      .meta({ example: [{ line: 1, column: 3 }] }),
    extensions: z.looseObject({ code: z.string(), status: z.int(), retryable: z.boolean(), retryAfterSeconds: z.int().optional() }).meta({
      description: 'The problem’s members as over HTTP: `code`, `status`, `retryable`, and what that code says besides.',
      example: { code: 'SOLD_OUT', status: 409, retryable: false, sku: 'tee-black-m', available: 0 },
    }),
  })
  .meta({ id: 'GraphqlError' });

export const GraphqlAnswer = z
  .strictObject({
    data: z
      .record(z.string(), z.unknown())
      .nullable()
      .optional()
      .meta({
        description: 'What was asked for, under the names that the document gives it. Left out when nothing was executed.',
        example: { me: { userId: 'ada', balanceMinor: 95001, currency: 'EUR' } },
      }),
    errors: z.array(GraphqlFailure).optional(),
    extensions: z
      .strictObject({ replayed: z.array(z.string()) })
      .optional()
      .meta({ description: 'The mutations that were answered with the first answer again.', example: { replayed: ['placeOrder'] } }),
  })
  .meta({ id: 'GraphqlAnswer' });
export type GraphqlAnswer = z.input<typeof GraphqlAnswer>;
export type GraphqlFailure = z.input<typeof GraphqlFailure>;
