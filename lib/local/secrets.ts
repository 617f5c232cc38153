import { randomInt, randomUUID } from 'node:crypto';
import type { Placed } from './assembly.ts';
import { type JsonServer, ServiceError, serveJson } from './aws-json.ts';
import { UnsupportedTemplate } from './intrinsics.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const generate = (length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** Secrets Manager's `GetSecretValue`, with values made at start as the template asks for them, and kept as long as the runtime runs. */
export function startSecrets(secrets: readonly Placed<'AWS::SecretsManager::Secret'>[]): Promise<JsonServer> {
  const values = new Map(
    secrets.map((secret) => [secret.arn, { name: secret.name, text: secretValueOf(secret), versionId: randomUUID() }]),
  );
  return serveJson('secretsmanager', {
    async GetSecretValue({ SecretId }) {
      const found = [...values].find(([arn, { name }]) => SecretId === arn || SecretId === name);
      if (!found) throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      const [ARN, { name, text, versionId }] = found;
      return { ARN, Name: name, SecretString: text, VersionId: versionId, VersionStages: ['AWSCURRENT'] };
    },
  });
}

function secretValueOf({ stack, logicalId, properties }: Placed<'AWS::SecretsManager::Secret'>): string {
  const { SecretString, GenerateSecretString: wanted } = properties;
  if (SecretString !== undefined) return SecretString;
  if (!wanted) throw new UnsupportedTemplate(`${stack}/${logicalId}: neither a value nor a way to make one`);
  const secret = generate(wanted.PasswordLength);
  if (wanted.GenerateStringKey === undefined) return secret;
  return JSON.stringify({ ...JSON.parse(wanted.SecretStringTemplate ?? '{}'), [wanted.GenerateStringKey]: secret });
}
