import { fallback } from '../api/fallback.ts';
import { httpHandler } from '../shared/http.ts';
import { docsEndpoints } from './docs.endpoints.ts';
import { docsRoutes } from './docs.routes.ts';

/** The page and its files. A function of its own, because Swagger UI is larger than all other code together, and no buyer waits for it. */
export const handler = httpHandler(docsEndpoints, fallback(docsRoutes, docsEndpoints));
