import type { Clock } from '../shared/clock.ts';
import type { TransactOutcome, Write } from '../shared/dynamo.ts';
import { type Idempotency, type KeyedRequest, onceByKey, type StoredAnswer } from '../shared/idempotency.ts';
import { again } from '../shared/retry.ts';
import { userAnswer } from './account.answer.ts';
import { balanceMinorMax, bankAccount, transfer, userAccount } from './account.model.ts';
import type { AccountRepository } from './account.repository.ts';
import { movementEntryOf, putMovement, setBalanceWrite } from './account.writes.ts';

export interface CreditAccountPorts {
  readonly accounts: Pick<AccountRepository, 'get'>;
  readonly idempotency: Idempotency;
  readonly transact: (writes: Write[]) => Promise<TransactOutcome>;
  readonly accountsTable: string;
  readonly clock: Clock;
  readonly newId: () => string;
}

export type CreditOutcome =
  | { outcome: 'credited' | 'replayed'; answer: StoredAnswer }
  | { outcome: 'key-reused' | 'not-found' }
  | { outcome: 'too-much'; balanceMinorMax: number };

/**
 * Puts money on an account, once per key: balance, movement and the key's first answer are one transaction. The answer shows the
 * balance that this credit made, so the account is read first and must not have changed; orders of the same buyer make it try again.
 */
export function creditAccount(
  userId: string,
  amountMinor: number,
  request: KeyedRequest,
  ports: CreditAccountPorts,
): Promise<CreditOutcome> {
  return onceByKey<CreditOutcome>(request, ports, {
    replay: (answer) => ({ outcome: 'replayed', answer }),
    attempt: () => tryToCredit(userId, amountMinor, request, ports),
  });
}

async function tryToCredit(
  userId: string,
  amountMinor: number,
  request: KeyedRequest,
  { accounts, idempotency, transact, accountsTable, clock, newId }: CreditAccountPorts,
): Promise<CreditOutcome | typeof again> {
  const account = await accounts.get(userId);
  if (!account) return { outcome: 'not-found' };
  const balanceMinor = account.balanceMinor + amountMinor;
  if (balanceMinor > balanceMinorMax) return { outcome: 'too-much', balanceMinorMax };

  const nowMs = clock.nowMs();
  const answer: StoredAnswer = { status: 200, body: JSON.stringify(userAnswer({ ...account, balanceMinor })) };
  const entries = transfer(bankAccount, userAccount(userId), amountMinor);
  const movement = { kind: 'credit', currency: account.currency, atMs: nowMs, entries } as const;
  const settled = await transact([
    setBalanceWrite(account, balanceMinor, accountsTable),
    putMovement(userId, movementEntryOf('credit', newId()), movement, accountsTable),
    idempotency.remember(request, answer, nowMs),
  ]);
  return settled.outcome === 'committed' ? { outcome: 'credited', answer } : again;
}
