import { type Endpoint, endpoint } from '../shared/http.ts';
import { once } from '../shared/once.ts';
import { Problem } from '../shared/problems.ts';
import { readHealthRoute, readOpenApiRoute } from './api.routes.ts';
import { checkHealth, type HealthPorts } from './health.ts';
import { routes } from './routes.ts';

/** The document as text, made at the first request: few containers are asked for it, and it takes a while. */
const documentText = once(async () => {
  const { openApiDocument } = await import('./openapi.ts');
  return JSON.stringify(openApiDocument(routes));
});

export const apiEndpoints = (health: HealthPorts): Endpoint[] => [
  endpoint(readHealthRoute, async () => {
    const { redis, dynamodb } = await checkHealth(health);
    if (redis === 'ok' && dynamodb === 'ok') return { body: { status: 'ok' as const, checks: { redis, dynamodb } } };
    throw new Problem('TRY_AGAIN', 'A dependency does not answer.', { checks: { redis, dynamodb } });
  }),

  endpoint(readOpenApiRoute, async () => ({ text: await documentText(), headers: { 'cache-control': 'public, max-age=60' } })),
];
