import { describe, expect, it } from 'vitest';
import { givenCallers, NoToken, subjectOf } from '../../../lib/client/tokens.ts';

const tokenOf = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

describe('given tokens', () => {
  it('name their callers', () => {
    expect(subjectOf(tokenOf({ sub: 'ada' }))).toBe('ada');
  });

  it.each(['', 'x', 'a.b.c', tokenOf({}), tokenOf({ sub: 7 }), tokenOf(null)])('that name nobody (%j) are refused, unshown', (token) => {
    expect(() => subjectOf(token)).toThrow(NoToken);
    expect(() => subjectOf(token)).toThrow(/^A given token is not a JWT with a `sub`\.$/);
  });

  it('are each used once, and never for fewer buyers than were asked for', async () => {
    const callers = givenCallers(
      'operator',
      ['ada', 'bob', 'eve', 'ada'].map((sub) => tokenOf({ sub })),
    );
    expect((await callers.buyers(2)).map(({ userId }) => userId)).toEqual(['ada', 'bob']);
    expect((await callers.buyers(1)).map(({ userId }) => userId)).toEqual(['eve']);
    await expect(callers.buyers(1)).rejects.toThrow('1 buyers are asked for, and 0 tokens of different buyers are left.');
    expect(await callers.operator()).toBe('operator');
  });
});
