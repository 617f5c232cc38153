/** Who calls: the token's `sub` and what its scopes allow. The gateway has verified the token. */
export interface Caller {
  readonly userId: string;
  readonly mayBuy: boolean;
  readonly mayOperate: boolean;
}

/** Reads the claims that an HTTP API's JWT authorizer hands over. Cognito prefixes scopes with the resource server: `…/sale:buy`. */
export function callerFrom(claims: Readonly<Record<string, unknown>>): Caller | undefined {
  const userId = claims.sub;
  if (typeof userId !== 'string' || userId === '') return undefined;
  const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  const has = (wanted: string) => scopes.some((scope) => scope === wanted || scope.endsWith(`/${wanted}`));
  return { userId, mayBuy: has('sale:buy'), mayOperate: has('sale:operate') };
}
