import { type Endpoint, endpoint, keyedRequest } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { userAnswer } from './account.answer.ts';
import type { AccountRepository } from './account.repository.ts';
import { type CreditAccountPorts, creditAccount } from './credit-account.ts';
import { type OpenAccountPorts, openAccount } from './open-account.ts';
import { createUserRoute, creditUserRoute, readMeRoute, readUserRoute } from './user.routes.ts';

export type UserPorts = OpenAccountPorts & CreditAccountPorts & { readonly accounts: AccountRepository };

const unknownUser = () => new Problem('NOT_FOUND', 'There is no such user.');

/** One’s own account. */
export const meEndpoints = ({ accounts }: { readonly accounts: Pick<AccountRepository, 'get'> }): Endpoint[] => [
  endpoint(readMeRoute, async ({ caller }) => {
    const account = await accounts.get(caller.userId);
    if (!account) throw new Problem('NOT_FOUND', 'You have no account here.');
    return { body: { userId: account.userId, balanceMinor: account.balanceMinor, currency: account.currency } };
  }),
];

export function userEndpoints(ports: UserPorts): Endpoint[] {
  return [
    endpoint(createUserRoute, async ({ body }) => {
      const opened = await openAccount(body, ports);
      if (opened.outcome === 'already-exists') throw new Problem('ALREADY_EXISTS', `There is a user ${body.userId} already.`);
      return { body: userAnswer(opened.account), headers: { location: `/v1/users/${body.userId}` } };
    }),

    endpoint(readUserRoute, async ({ params }) => {
      const account = await ports.accounts.get(params.userId);
      if (!account) throw unknownUser();
      return { body: userAnswer(account) };
    }),

    endpoint(creditUserRoute, async (request) => {
      const credited = await creditAccount(request.params.userId, request.body.amountMinor, keyedRequest(request), ports);
      switch (credited.outcome) {
        case 'credited':
        case 'replayed':
          return { text: credited.answer.body, status: credited.answer.status, replayed: credited.outcome === 'replayed' };
        case 'not-found':
          throw unknownUser();
        case 'key-reused':
          throw new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; another credit needs another key.');
        case 'too-much':
          throw new Problem('INVALID_REQUEST', `body.amountMinor: a balance may be at most ${credited.balanceMinorMax}`);
      }
    }),

    ...meEndpoints(ports),
  ];
}
