import * as z from 'zod';

const control = /\p{Cc}/u;
const layout = /[\t\n\r]/g;

/** What can be stored, sent on and shown: no half of a surrogate pair, which no UTF-8 has, and no control character. */
const isPlain = (text: string): boolean => text.isWellFormed() && !control.test(text);

const refusal = 'must be well-formed text without control characters';

/** Free text of one line, such as a name. Blanks around it do not count, and it may not be empty. */
export const Line = (lengthMax: number) => z.string().trim().min(1).max(lengthMax).refine(isPlain, refusal);

/** Free text that may have several lines, and may be empty. */
export const Paragraphs = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .refine((text) => isPlain(text.replaceAll(layout, '')), `${refusal} other than line breaks and tabs`);

/** The address of something on the web. */
export const WebAddress = (lengthMax: number) =>
  z
    .url({ protocol: /^https?$/ })
    .max(lengthMax)
    .refine(isPlain, refusal);
