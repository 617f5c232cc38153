import * as z from 'zod';
import { UserId } from '../shared/ids.ts';
import { Currency } from '../shared/money.ts';
import { Line } from '../shared/text.ts';
import { balanceMinorMax, creditMinorMax } from './account.model.ts';

const name = Line(200).optional().meta({ example: 'Ada Lovelace' });
const balance = z.int().min(0).max(balanceMinorMax).meta({ description: 'In minor units.', example: 100000 });

export const NewUser = z
  .strictObject({
    userId: UserId,
    name,
    balanceMinor: z.int().min(0).max(creditMinorMax).default(0).meta({ description: 'What the account opens with.', example: 100000 }),
    currency: Currency,
  })
  .meta({ id: 'NewUser', description: 'A buyer to be given an account. `userId` is the `sub` of the buyer’s tokens.' });
export type NewUser = z.output<typeof NewUser>;

export const UserAnswer = z
  .strictObject({
    userId: UserId,
    name,
    balanceMinor: balance,
    currency: Currency,
    createdAt: z.iso.datetime().meta({ example: '2026-03-01T09:00:00.000Z' }),
  })
  .meta({ id: 'User' });
export type UserAnswer = z.output<typeof UserAnswer>;

export const NewCredit = z
  .strictObject({
    amountMinor: z.int().min(1).max(creditMinorMax).meta({ description: 'In minor units of the account’s currency.', example: 5000 }),
  })
  .meta({ id: 'NewCredit' });
export type NewCredit = z.output<typeof NewCredit>;

export const MeAnswer = z.strictObject({ userId: UserId, balanceMinor: balance, currency: Currency }).meta({ id: 'Me' });

export const UserPath = z.strictObject({ userId: UserId });
