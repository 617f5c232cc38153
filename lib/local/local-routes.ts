import * as z from 'zod';
import { Problem } from '../../functions/shared/problems.ts';
import type { LocalRoutes } from './gateway.ts';
import type { HttpReply } from './http-event.ts';
import { type Issuer, issuerDocument, TokenRequest } from './issuer.ts';
import type { Scheduler } from './scheduler.ts';

const json = (body: object): HttpReply => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

/** What only the embedded runtime has: its issuer, and schedules on demand. */
export function localRoutes(issuer: Issuer, scheduler: Pick<Scheduler, 'runNow'>, nowMs: () => number): LocalRoutes {
  return async (method, path, body) => {
    const document = issuerDocument(issuer, path.slice('/local'.length));
    if (document) {
      only('GET', method);
      return json(document);
    }
    if (path === '/local/token') {
      only('POST', method);
      return json({ access_token: await issuer.token(tokenRequest(body), nowMs()), token_type: 'Bearer' });
    }
    const [, schedule] = /^\/local\/run\/([a-z-]{1,64})$/.exec(path) ?? [];
    if (schedule === undefined) return undefined;
    only('POST', method);
    if ((await scheduler.runNow(schedule)) === 'unknown') throw new Problem('NOT_FOUND', `There is no schedule ${schedule}.`);
    return json({ schedule, outcome: 'done' });
  };
}

function only(wanted: string, method: string): void {
  if (method !== wanted) throw new Problem('METHOD_NOT_ALLOWED', `Only ${wanted} is known here.`);
}

function tokenRequest(body: Buffer): TokenRequest {
  const parsed = TokenRequest.safeParse(parseJson(body.toString('utf8')));
  if (!parsed.success) throw new Problem('INVALID_REQUEST', z.prettifyError(parsed.error));
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('INVALID_REQUEST', 'The body is not valid JSON.');
  }
}
