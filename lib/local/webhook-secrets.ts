import * as z from 'zod';
import type { Variable } from '../../functions/shared/environment.ts';
import type { Assembly } from './assembly.ts';

const variable = 'PAYMENT_WEBHOOK_SECRETS' satisfies Variable;
const prefix = 'whsec_';

/** The template's secret that payment providers sign with: the one that a function is given by this variable, if there is one. */
export const webhookSecretArn = ({ functions }: Pick<Assembly, 'functions'>): string | undefined =>
  functions.map(({ properties }) => properties.Environment.Variables[variable]).find((arn) => arn !== undefined);

/** Secrets, newest first, as Secrets Manager keeps them. */
export const storedSecrets = ([current, ...previous]: readonly string[]): string => JSON.stringify({ current, previous });

const Stored = z.object({ current: z.string() });

/** The newest of the stored secrets, as a provider is given it. */
export function newestSecret(stored: string): string {
  const { current } = Stored.parse(JSON.parse(stored));
  return current.startsWith(prefix) ? current : `${prefix}${current}`;
}
