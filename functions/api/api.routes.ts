import { defineRoute, type Route } from '../shared/route.ts';
import { HealthAnswer, OpenApiAnswer } from './api.schemas.ts';

const tag = 'Service';

export const readHealthRoute = defineRoute({
  operationId: 'readHealth',
  method: 'GET',
  path: '/v1/health',
  access: 'public',
  tag,
  summary: 'Ask whether the service can serve',
  description: 'When a dependency is away, the answer is a 503 problem whose `checks` say which (`ok` or `away`).',
  status: 200,
  answer: HealthAnswer,
  servedBy: 'api',
});

export const readOpenApiRoute = defineRoute({
  operationId: 'readOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  access: 'public',
  tag,
  summary: 'Read this document',
  status: 200,
  answer: OpenApiAnswer,
  servedBy: 'api',
});

export const apiRoutes: readonly Route[] = [readHealthRoute, readOpenApiRoute];
