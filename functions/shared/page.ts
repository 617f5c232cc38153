import * as z from 'zod';

/** One page of a list, as it is answered. `nextCursor` is null on the last page. */
export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

export const pageLimitMax = 100;
export const pageLimitDefault = 20;
const cursorLengthMax = 512;

/** The query parameter `limit` of a list. */
export const Limit = z
  .string()
  .regex(/^[0-9]{1,3}$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= pageLimitMax, 'must be a whole number from 1 to 100')
  .default(pageLimitDefault)
  .meta({
    description: 'How many items a page has at most.',
    // The schema takes the text of a query parameter; what a caller sends is a number.
    override: ({ jsonSchema }) => {
      delete jsonSchema.pattern;
      Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: pageLimitMax, default: pageLimitDefault });
    },
    example: 20,
  });

/** Where a page ended, as an opaque word: the list's name and the last key, so that a cursor of one list is refused by another. */
export const encodeCursor = (list: string, position: string): string => Buffer.from(JSON.stringify([list, position])).toString('base64url');

const Content = z.tuple([
  z.string(),
  z
    .string()
    .min(1)
    // No key has half a surrogate pair, and no database takes one.
    .refine((position) => position.isWellFormed()),
]);

/** The position a cursor stands for, or undefined for a word that this list never gave out. */
export function decodeCursor(list: string, cursor: string): string | undefined {
  try {
    const [, position] = Content.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    // Base64url decodes leniently, and a cursor names its list: only what this list would give out itself is its cursor.
    return encodeCursor(list, position) === cursor ? position : undefined;
  } catch {
    return undefined;
  }
}

/** The query parameters of a list, to be spread into its strict query schema: `limit`, and `cursor` as the position it stands for. */
export const pageQuery = (list: string) => ({
  limit: Limit,
  cursor: z
    .string()
    .max(cursorLengthMax)
    .transform((cursor, context) => {
      const position = decodeCursor(list, cursor);
      if (position !== undefined) return position;
      context.addIssue({ code: 'custom', message: 'is not a cursor of this list' });
      return z.NEVER;
    })
    .optional()
    .meta({ description: 'The `nextCursor` of the page before. Opaque.' }),
});

/** The answer of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Send it as `cursor` to get the next page; null on the last one.' }),
  });
