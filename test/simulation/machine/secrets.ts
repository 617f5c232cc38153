import { createHash } from 'node:crypto';

/** What the secret of this name is, in the form of `functions/shared/secrets.ts`: the same in every run, and base64, so that it may sign webhooks too. */
export const secretOf = (secretId: string): string => createHash('sha256').update(`simulated ${secretId}`).digest('base64');

export const secretText = (secretId: string): string => JSON.stringify({ current: secretOf(secretId) });
