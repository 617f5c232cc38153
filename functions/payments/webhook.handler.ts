import { fallback } from '../api/fallback.ts';
import { httpHandler } from '../shared/http.ts';
import { webhookRoutes } from './webhook.routes.ts';
import { endpoints } from './webhook.wiring.ts';

/** What payment providers tell. A function of its own: its secrets are nobody else's, and a crowd of buyers does not hold it up. */
export const handler = httpHandler(endpoints, fallback(webhookRoutes, endpoints));
