import { randomInt, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Placed } from './assembly.ts';
import { type JsonServer, ServiceError, serveJson } from './aws-json.ts';
import { type Kept, nothingKept } from './data-directory.ts';
import { UnsupportedTemplate } from './intrinsics.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const generate = (length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

type Secret = Placed<'AWS::SecretsManager::Secret'>;

export interface LocalSecrets {
  /** A secret as its readers get it, by its ARN. */
  textOf(arn: string): string | undefined;
}

/** By a secret's name. */
const Values = z.record(z.string(), z.object({ text: z.string(), versionId: z.string() }));

/**
 * Secrets Manager's `GetSecretValue`, with values made at the first start as the template asks for them, and the same as long as they are kept,
 * or as the runtime runs. `given` by ARN: what somebody else has made, in place of what would be kept.
 */
export async function startSecrets(
  secrets: readonly Secret[],
  kept: Kept = nothingKept,
  given: Readonly<Record<string, string>> = {},
): Promise<JsonServer & LocalSecrets> {
  const known = Values.safeParse(await kept.read()).data ?? {};
  const values = new Map(secrets.map((secret) => [secret.arn, { name: secret.name, ...currentOf(secret, known[secret.name]) }]));
  const current = [...values.values()].map(({ name, ...value }) => [name, value]);
  const textOf = (arn: string) => given[arn] ?? values.get(arn)?.text;
  // Before anything is made with them. One that the template has no longer may be wanted again.
  await kept.write({ ...known, ...Object.fromEntries(current) });
  const server = await serveJson('secretsmanager', {
    async GetSecretValue({ SecretId }) {
      const found = [...values].find(([arn, { name }]) => SecretId === arn || SecretId === name);
      if (!found) throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      const [ARN, { name, versionId }] = found;
      return { ARN, Name: name, SecretString: textOf(ARN), VersionId: versionId, VersionStages: ['AWSCURRENT'] };
    },
  });
  return { ...server, textOf };
}

interface SecretValue {
  readonly text: string;
  readonly versionId: string;
}

function currentOf(secret: Secret, known: SecretValue | undefined): SecretValue {
  const isFixed = secret.properties.SecretString !== undefined;
  return known && !isFixed ? known : { text: secretValueOf(secret), versionId: randomUUID() };
}

function secretValueOf({ stack, logicalId, properties }: Secret): string {
  const { SecretString, GenerateSecretString: wanted } = properties;
  if (SecretString !== undefined) return SecretString;
  if (!wanted) throw new UnsupportedTemplate(`${stack}/${logicalId}: neither a value nor a way to make one`);
  const secret = generate(wanted.PasswordLength);
  if (wanted.GenerateStringKey === undefined) return secret;
  return JSON.stringify({ ...JSON.parse(wanted.SecretStringTemplate ?? '{}'), [wanted.GenerateStringKey]: secret });
}
