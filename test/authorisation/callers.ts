import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { Shop, Shopper } from '../support/acceptance.ts';
import { granted } from '../support/acceptance.ts';

/** Whose word nobody takes, and why. */
export const strangers = [
  ...(['no token', 'no JWT', 'another scheme', 'alg none', 'expired', 'wrong audience'] as const),
  ...(['another key', 'changed claims', 'another issuer'] as const),
] as const;
/** Who is known, and may do none of it. */
export const scopeless = ['no scope', 'a scope that looks alike'] as const;
export const known = ['buyer', 'other buyer', 'operator'] as const;

export type Stranger = (typeof strangers)[number];
export type Scopeless = (typeof scopeless)[number];
export type Known = (typeof known)[number];
export type Caller = Stranger | Scopeless | Known;
export const callers: readonly Caller[] = [...strangers, ...scopeless, ...known];

/** What each sends as `Authorization`; undefined for who sends none. */
export type Authorisations = Readonly<Record<Caller, string | undefined>>;

type Claims = Readonly<Record<string, unknown>>;
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as Claims;

/** A token of these contents, signed by a key that the issuer does not have. */
function signedByAnother(header: Claims, claims: Claims): string {
  const content = `${encoded(header)}.${encoded(claims)}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return `${content}.${sign('RSA-SHA256', Buffer.from(content), privateKey).toString('base64url')}`;
}

/** Every caller's `Authorization`. The strangers' are an operator's own token, spoiled in one way each: were it taken, it would open everything. */
export async function authorisationsOf(shop: Shop, buyer: Shopper, other: Shopper): Promise<Authorisations> {
  const sub = `both-${randomUUID()}`;
  const scope = 'sale:operate sale:buy';
  const mint = async (wishes: { sub?: string; scope?: string; expiresInSeconds?: number; audience?: string }) =>
    granted(await shop.client.localToken({ sub, scope, ...wishes })).access_token;
  const [valid, expired, elsewhere, none, alike, operator] = await Promise.all([
    mint({}),
    mint({ expiresInSeconds: -1 }),
    mint({ audience: 'another-service' }),
    mint({ sub: buyer.userId, scope: 'openid' }),
    mint({ sub: buyer.userId, scope: 'presale:buy sale:operator sale:buy/x Sale:Operate' }),
    mint({ sub: `operator-${randomUUID()}`, scope: 'sale:operate' }),
  ]);
  const [head, body, signature] = valid.split('.');
  const [header, claims] = [decoded(head), decoded(body)];
  const bearer = (token: string) => `Bearer ${token}`;
  return {
    'no token': undefined,
    'no JWT': bearer('x'),
    'another scheme': `Basic ${Buffer.from(`${sub}:secret`).toString('base64')}`,
    'alg none': bearer(`${encoded({ ...header, alg: 'none' })}.${body}.`),
    expired: bearer(expired),
    'wrong audience': bearer(elsewhere),
    'another key': bearer(signedByAnother(header, claims)),
    'changed claims': bearer(`${head}.${encoded({ ...claims, sub: buyer.userId })}.${signature}`),
    'another issuer': bearer(signedByAnother(header, { ...claims, iss: 'https://issuer.example' })),
    'no scope': bearer(none),
    'a scope that looks alike': bearer(alike),
    buyer: bearer(buyer.token),
    'other buyer': bearer(other.token),
    operator: bearer(operator),
  };
}
