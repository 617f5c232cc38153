import * as z from 'zod';
import { awsCaller } from './aws-call.ts';

const Secret = z.string().min(32);

/**
 * How a secret is stored: the one to sign with, and the one before it, or several, newest first, which still verify. Secrets Manager can generate the
 * first (`generateStringKey: 'current'`), which it could not do inside a list.
 */
const Stored = z.object({ current: Secret, previous: z.union([Secret.transform((one) => [one]), z.array(Secret).max(9)]).default([]) });

/** A secret could not be read, or does not have the agreed form. Never carries the secret. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
}

/** The text of a secret by its ARN or name; rejects, or gives nothing, when there is none. */
export type SecretTexts = (secretId: string) => Promise<string | undefined>;

const call = awsCaller({ name: 'secretsmanager', variable: 'SECRETS_MANAGER', target: 'secretsmanager', version: '1.1' });

/** Secrets Manager, by signed calls of our own: one call does not make up for loading a client. */
export const awsSecrets: SecretTexts = async (SecretId) => {
  const { SecretString } = (await call('GetSecretValue', JSON.stringify({ SecretId }))) as { SecretString?: string };
  return SecretString;
};

/** Reads a secret: newest first, at least one. */
export type ReadSecret = () => Promise<readonly [string, ...string[]]>;

/** A container lives for hours; a secret rotated in the middle of them is seen within this time. */
const rereadAfterMs = 5 * 60_000;

/**
 * Reads a secret by its ARN or name, once per container and again every 5 minutes. Callers at the same moment share one read; a failed
 * read is not remembered, and while an older value is at hand it is used instead. Throws `SecretUnavailable`.
 */
export function secretReader(texts: SecretTexts, secretId: string, nowMs: () => number): ReadSecret {
  let known: readonly [string, ...string[]] | undefined;
  let readAtMs = 0;
  let reading: ReturnType<ReadSecret> | undefined;

  async function read() {
    try {
      known = await fetchSecret(texts, secretId);
      readAtMs = nowMs();
      return known;
    } catch (error) {
      if (known) return known;
      throw error;
    } finally {
      reading = undefined;
    }
  }

  return () => {
    if (known && nowMs() - readAtMs < rereadAfterMs) return Promise.resolve(known);
    reading ??= read();
    return reading;
  };
}

async function fetchSecret(texts: SecretTexts, secretId: string): Promise<readonly [string, ...string[]]> {
  const text = await texts(secretId).catch((cause: unknown) => {
    throw new SecretUnavailable(`${secretId} could not be read`, { cause });
  });
  const parsed = Stored.safeParse(parseJson(text ?? ''));
  // Neither the text nor the parser's complaint goes into the error: both may quote the secret.
  if (!parsed.success)
    throw new SecretUnavailable(`${secretId} must be {"current": "…", "previous"?: "…" or ["…"]}, at least 32 characters each`);
  const { current, previous } = parsed.data;
  return [current, ...previous];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
