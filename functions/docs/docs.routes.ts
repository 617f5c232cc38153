import * as z from 'zod';
import { defineRoute, type Route } from '../shared/route.ts';

const tag = 'Service';

export const readDocsRoute = defineRoute({
  operationId: 'readDocs',
  method: 'GET',
  path: '/docs',
  access: 'public',
  tag,
  summary: 'Read and try this document in a browser',
  description: 'A page. It loads nothing from any other host.',
  status: 200,
  answer: z.string().meta({ description: 'HTML.' }),
  mediaType: 'text/html',
  servedBy: 'docs',
});

/** A script or style of the page. Its name carries a hash of what is in it, so whoever has it never asks again. */
export const readDocsAssetRoute = defineRoute({
  operationId: 'readDocsAsset',
  method: 'GET',
  path: '/docs/{asset}',
  access: 'public',
  tag,
  summary: 'Read a file of the page',
  params: z.strictObject({ asset: z.string() }),
  status: 200,
  partOfPage: true,
  problems: ['NOT_FOUND'],
  servedBy: 'docs',
});

export const docsRoutes: readonly Route[] = [readDocsRoute, readDocsAssetRoute];
