import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import { type Kept, nothingKept } from './data-directory.ts';

/** What `POST /local/token` takes. `scope` is a list separated by blanks, as in OAuth. */
export const TokenRequest = z.strictObject({
  sub: z.string().min(1).max(256),
  scope: z.string().max(1_000).default(''),
  /** Negative for a token that has expired already. */
  expiresInSeconds: z.int().min(-86_400).max(86_400).default(3_600),
  audience: z.string().min(1).max(256).optional(),
});
export type TokenRequest = z.output<typeof TokenRequest>;

export interface Issuer {
  readonly url: string;
  readonly audience: string;
  readonly keys: { readonly keys: readonly JWK[] };
  token(request: TokenRequest, nowMs: number): Promise<string>;
}

const algorithm = 'RS256';
const keyId = 'local-1';

/**
 * An OIDC issuer whose keys last as long as what is kept, or as the runtime. `url` is what tokens name as their issuer, and where its
 * documents are: another port is another issuer, whose tokens are not this one's.
 */
export async function createIssuer(url: string, audience: string, kept: Kept = nothingKept): Promise<Issuer> {
  const { publicKey, privateKey } = await keyPair(kept);
  const key: JWK = { ...publicKey, kid: keyId, alg: algorithm, use: 'sig' };
  return {
    url,
    audience,
    keys: { keys: [key] },
    token: ({ sub, scope, expiresInSeconds, audience: wanted = audience }, nowMs) => {
      const nowSeconds = Math.floor(nowMs / 1_000);
      return new SignJWT({ scope, client_id: wanted, token_use: 'access' })
        .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
        .setIssuer(url)
        .setAudience(wanted)
        .setSubject(sub)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + expiresInSeconds)
        .sign(privateKey);
    },
  };
}

const PrivateKey = z.looseObject({ kty: z.literal('RSA'), n: z.string(), e: z.string(), d: z.string() });

async function keyPair(kept: Kept): Promise<{ publicKey: JWK; privateKey: Awaited<ReturnType<typeof importJWK>> }> {
  const known = PrivateKey.safeParse(await kept.read()).data;
  const key = known ?? (await generatedKey());
  // Before the first token is signed with it.
  if (!known) await kept.write(key);
  return { publicKey: { kty: key.kty, n: key.n, e: key.e }, privateKey: await importJWK(key, algorithm) };
}

async function generatedKey(): Promise<z.output<typeof PrivateKey>> {
  const { privateKey } = await generateKeyPair(algorithm, { modulusLength: 2048, extractable: true });
  return PrivateKey.parse(await exportJWK(privateKey));
}

/** The documents that OIDC clients look for below the issuer's address. */
export function issuerDocument(issuer: Issuer, path: string): object | undefined {
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/openid-configuration': {
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/.well-known/jwks.json`,
      token_endpoint: `${issuer.url}/token`,
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [algorithm],
    },
    '/.well-known/jwks.json': issuer.keys,
  };
  return documents[path];
}

export interface Authorised {
  /** As an HTTP API hands claims over: every value is text. */
  readonly claims: Readonly<Record<string, string>>;
  readonly scopes: ReadonlySet<string>;
}

export type Verify = (authorization: string | undefined, nowMs: number) => Promise<Authorised | undefined>;

interface Verified extends Authorised {
  readonly notBeforeMs: number;
  readonly expiresMs: number;
}

/** Tokens whose signature need not be checked again. */
const rememberedMax = 50_000;

/**
 * A gateway's JWT authorizer: RS256 by one of the issuer's keys and nothing else, the issuer's name, one of the audiences, and the times, without
 * leeway. Undefined for anything short of that.
 */
export function jwtAuthorizer({ keys, issuer, audiences }: { keys: Issuer['keys']; issuer: string; audiences: readonly string[] }): Verify {
  const keySet = createLocalJWKSet({ keys: [...keys.keys] });
  const remembered = new Map<string, Verified>();

  async function check(token: string, nowMs: number): Promise<Verified | undefined> {
    const known = remembered.get(token);
    if (known) return known;
    try {
      const options = { algorithms: [algorithm], issuer, audience: [...audiences], requiredClaims: ['exp'], currentDate: new Date(nowMs) };
      const { payload } = await jwtVerify(token, keySet, options);
      const verified = verifiedOf(payload);
      // The oldest goes first: a crowd's tokens are all alive for an hour.
      if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value ?? '');
      remembered.set(token, verified);
      return verified;
    } catch {
      return undefined;
    }
  }

  return async (authorization, nowMs) => {
    // HTTP APIs take the token with and without the scheme.
    const token = authorization?.replace(/^Bearer +/i, '').trim();
    if (!token) return undefined;
    const verified = await check(token, nowMs);
    if (!verified || nowMs >= verified.expiresMs || nowMs < verified.notBeforeMs) return undefined;
    return verified;
  };
}

function verifiedOf(payload: JWTPayload): Verified {
  const claims = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, claimText(value)]));
  const scope = typeof payload.scope === 'string' ? payload.scope : typeof payload.scp === 'string' ? payload.scp : '';
  return {
    claims,
    scopes: new Set(scope.split(' ').filter(Boolean)),
    notBeforeMs: (payload.nbf ?? 0) * 1_000,
    expiresMs: (payload.exp ?? 0) * 1_000,
  };
}

const claimText = (value: unknown): string =>
  Array.isArray(value) ? `[${value.join(' ')}]` : typeof value === 'object' ? JSON.stringify(value) : String(value);
