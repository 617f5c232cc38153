import { httpHandler } from '../shared/http.ts';
import { endpoints } from './api.wiring.ts';
import { fallback } from './fallback.ts';
import { routes } from './routes.ts';

/** Every route but placing orders, and what no route serves. */
export const handler = httpHandler(endpoints, fallback(routes, endpoints));
