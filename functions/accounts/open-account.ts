import type { Clock } from '../shared/clock.ts';
import type { TransactOutcome, Write } from '../shared/dynamo.ts';
import { type Account, bankAccount, transfer, userAccount } from './account.model.ts';
import { movementEntryOf, openAccountWrite, putMovement } from './account.writes.ts';
import type { NewUser } from './user.schemas.ts';

export interface OpenAccountPorts {
  readonly transact: (writes: Write[]) => Promise<TransactOutcome>;
  readonly accountsTable: string;
  readonly clock: Clock;
}

export type OpenAccountOutcome = { outcome: 'opened'; account: Account } | { outcome: 'already-exists' };

/** Opens an account; what it opens with comes from the bank, as a movement like any other, in the same transaction. */
export async function openAccount(body: NewUser, { transact, accountsTable, clock }: OpenAccountPorts): Promise<OpenAccountOutcome> {
  const { userId, name, balanceMinor, currency } = body;
  const nowMs = clock.nowMs();
  const account: Account = { userId, ...(name === undefined ? {} : { name }), currency, balanceMinor, version: 1, createdAtMs: nowMs };
  const entries = transfer(bankAccount, userAccount(userId), balanceMinor);
  const settled = await transact([
    openAccountWrite(account, accountsTable),
    putMovement(userId, movementEntryOf('opening', 'first'), { kind: 'opening', currency, atMs: nowMs, entries }, accountsTable),
  ]);
  return settled.outcome === 'committed' ? { outcome: 'opened', account } : { outcome: 'already-exists' };
}
