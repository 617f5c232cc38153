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
export function localRoutes(issuer: Issuer, scheduler: Pick<Scheduler, 'runNow' | 'names'>, nowMs: () => number): LocalRoutes {
  return async (method, path, body) => {
    const document = issuerDocument(issuer, path.slice('/local'.length));
    if (document) return answerTo(method, ['GET', 'HEAD'], async () => json(document));
    if (path === '/local/token') {
      return answerTo(method, ['POST'], async () =>
        json({ access_token: await issuer.token(tokenRequest(body), nowMs()), token_type: 'Bearer' }),
      );
    }
    const [, schedule] = /^\/local\/run\/([^/]+)$/.exec(path) ?? [];
    if (schedule === undefined) return undefined;
    if (!scheduler.names.includes(schedule)) {
      throw new Problem('NOT_FOUND', `There is no such schedule. There is: ${scheduler.names.join(', ') || 'none'}.`);
    }
    return answerTo(method, ['POST'], async () => json({ schedule, outcome: await scheduler.runNow(schedule) }));
  };
}

/** Answers the methods that a resource knows, OPTIONS with what they are, and refuses every other. */
async function answerTo(method: string, known: readonly string[], answer: () => Promise<HttpReply>): Promise<HttpReply> {
  const allow = [...known, 'OPTIONS'].sort().join(', ');
  if (known.includes(method)) return answer();
  if (method === 'OPTIONS') return { status: 204, headers: { allow, 'cache-control': 'no-store' }, body: '' };
  throw new Problem('METHOD_NOT_ALLOWED', `This path knows ${allow}.`, {}, { allow });
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
