import { unknownToModel } from './errors.ts';
import type { Table } from './table.ts';
import { isMap } from './values.ts';

/** Where an operation finds the tables, and what it draws by. */
export interface Database {
  table(name: unknown): Table;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly pageItemsMax: number;
  readonly unprocessedShare: number;
}

/** What was sent, if the model knows every parameter of it. */
export function parametersOf<Input>(what: string, input: unknown, known: readonly (keyof Input & string)[]): Input {
  if (!isMap(input)) throw unknownToModel(`${what} of ${String(input)}`);
  const other = Object.keys(input).find((name) => input[name] !== undefined && !(known as readonly string[]).includes(name));
  if (other !== undefined) throw unknownToModel(`the parameter ${other} of ${what}`);
  return input as Input;
}

/** A parameter that is one of some words; the first of them when it is left out. */
export function wordOf<Word extends string>(name: string, given: unknown, words: readonly [Word, ...Word[]]): Word {
  const word = given === undefined ? words[0] : words.find((each) => each === given);
  if (word === undefined) throw unknownToModel(`${name}: ${String(given)}`);
  return word;
}

export const answered = <Answer extends object>(answer: Answer): Answer & { $metadata: object } => ({
  $metadata: { httpStatusCode: 200, requestId: 'model', attempts: 1, totalRetryDelay: 0 },
  ...answer,
});
