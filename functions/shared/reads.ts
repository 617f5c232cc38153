import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Database } from './dynamo.ts';

type Item = Record<string, unknown>;

/** The database did not give all that was asked for within the bounds. */
export class ReadIncomplete extends Error {
  override readonly name = 'ReadIncomplete';
}

/**
 * Rows of one page, for whoever reads very many: as many as fit into a page anyway, at some 250 bytes each. Said all the same, because the bundled
 * server looks at everything that is left of a table for a page that names no limit.
 */
export const rowsPerPage = 4_000;

interface Page {
  readonly Items?: Item[] | undefined;
  readonly LastEvaluatedKey?: Item | undefined;
}

/** One page after the other, each beginning where the last one ended, until one says that it is the last. */
async function* pagesOf(read: (start: { ExclusiveStartKey?: Item }) => Promise<Page>): AsyncGenerator<Page> {
  let start: Item | undefined;
  do {
    const page = await read(start === undefined ? {} : { ExclusiveStartKey: start });
    yield page;
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
}

/** The pages of a query, as the database cuts them. Their number is the caller's to bound. */
export const queryPages = (database: Database, query: QueryCommandInput): AsyncGenerator<Page> =>
  pagesOf((start) => database.query({ ...query, ...start }));

/** The pages of a scan, as the database cuts them. Their number is the caller's to bound. */
export const scanPages = (database: Database, scan: ScanCommandInput): AsyncGenerator<Page> =>
  pagesOf((start) => database.scan({ ...scan, ...start }));

/** The pages of a query one by one, `rowsPerPage` items each. Throws `ReadIncomplete` beyond `pagesMax` pages. */
export async function* readPages(database: Database, query: QueryCommandInput, pagesMax = 1_000): AsyncGenerator<Item[]> {
  let pages = 0;
  for await (const page of queryPages(database, { ...query, Limit: rowsPerPage })) {
    yield page.Items ?? [];
    if (++pages >= pagesMax && page.LastEvaluatedKey) throw new ReadIncomplete(`more than ${pagesMax} pages of ${query.TableName}`);
  }
}

/** All items of a query, page by page. Throws `ReadIncomplete` beyond `pagesMax` pages. */
export async function readAll(database: Database, query: QueryCommandInput, pagesMax = 1_000): Promise<Item[]> {
  const found: Item[] = [];
  let pages = 0;
  for await (const page of queryPages(database, query)) {
    found.push(...(page.Items ?? []));
    if (++pages >= pagesMax && page.LastEvaluatedKey) throw new ReadIncomplete(`more than ${pagesMax} pages of ${query.TableName}`);
  }
  return found;
}

/**
 * One page of a whole table, in the table's own order, beginning after the item whose key is `after`. Reads one item more than is
 * asked for, so that the last page is known as the last.
 */
export async function scanPage(
  database: Database,
  tableName: string,
  keyName: string,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ items: Item[]; next: string | undefined }> {
  const items: Item[] = [];
  let start = page.after === undefined ? undefined : { [keyName]: page.after };
  do {
    const { Items, LastEvaluatedKey } = await database.scan({
      TableName: tableName,
      Limit: page.limit + 1 - items.length,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    items.push(...(Items ?? []));
    start = LastEvaluatedKey as typeof start;
  } while (start !== undefined && items.length <= page.limit);
  const shown = items.slice(0, page.limit);
  return { items: shown, next: items.length > page.limit ? String(shown.at(-1)?.[keyName]) : undefined };
}
