import { inParallel } from '../../functions/shared/parallel.ts';
import type { Client } from './client.ts';

export interface Buyer {
  readonly userId: string;
  readonly token: string;
}

/** Where callers come from: the embedded runtime's issuer, or tokens that somebody fetched from the issuer of a deployed endpoint. */
export interface Callers {
  operator(): Promise<string>;
  /** `count` buyers that differ from each other and from those handed out before. */
  buyers(count: number, onOne?: () => void): Promise<Buyer[]>;
}

/** There is no token to be had; says what to do. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

async function mint(client: Client, sub: string, scope: string): Promise<string> {
  const answer = await client.localToken({ sub, scope, expiresInSeconds: 3_600 });
  if (!answer.ok)
    throw new NoToken(`POST /local/token answered ${answer.status}: this endpoint hands out no tokens, so it needs those of its issuer.`);
  return answer.body.access_token;
}

/** New buyers, called `prefix-1`, `prefix-2`, …, from the embedded runtime's own issuer. */
export function localCallers(client: Client, prefix: string): Callers {
  let named = 0;
  return {
    operator: () => mint(client, `${prefix}-operator`, 'sale:operate'),
    buyers(count, onOne = () => {}) {
      const userIds = Array.from({ length: count }, () => `${prefix}-${++named}`);
      return inParallel(userIds, 32, async (userId) => {
        const token = await mint(client, userId, 'sale:buy');
        onOne();
        return { userId, token };
      });
    },
  };
}

/** The caller that a token speaks for. Read, not verified: that is the endpoint's work. Throws `NoToken` for what is no JWT. */
export function subjectOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const sub = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined;
    if (typeof sub === 'string' && sub !== '') return sub;
  } catch {
    // Told below, without the token in it.
  }
  throw new NoToken('A given token is not a JWT with a `sub`.');
}

/** Buyers by the tokens given, each used once. */
export function givenCallers(operatorToken: string, buyerTokens: readonly string[]): Callers {
  const bySubject = new Map(buyerTokens.map((token) => [subjectOf(token), token]));
  const buyers = [...bySubject].map(([userId, token]) => ({ userId, token }));
  let taken = 0;
  return {
    operator: async () => operatorToken,
    async buyers(count, onOne = () => {}) {
      if (taken + count > buyers.length)
        throw new NoToken(`${count} buyers are asked for, and ${buyers.length - taken} tokens of different buyers are left.`);
      taken += count;
      for (let one = 0; one < count; one++) onOne();
      return buyers.slice(taken - count, taken);
    },
  };
}
