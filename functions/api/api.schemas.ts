import * as z from 'zod';

export const HealthAnswer = z
  .strictObject({ status: z.literal('ok'), checks: z.strictObject({ redis: z.literal('ok'), dynamodb: z.literal('ok') }) })
  .meta({ id: 'Health' });

export const OpenApiAnswer = z.looseObject({ openapi: z.string().meta({ example: '3.1.0' }) }).meta({ id: 'OpenApiDocument' });
