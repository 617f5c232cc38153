import { rfc3339 } from '../shared/clock.ts';
import type { Account } from './account.model.ts';
import type { UserAnswer } from './user.schemas.ts';

/** The account as the HTTP contract shows it to operators. */
export const userAnswer = (account: Account): UserAnswer => ({
  userId: account.userId,
  ...(account.name === undefined ? {} : { name: account.name }),
  balanceMinor: account.balanceMinor,
  currency: account.currency,
  createdAt: rfc3339(account.createdAtMs),
});
