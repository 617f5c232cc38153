import { describe, expect, it } from 'vitest';
import { startRuntime } from '../../lib/local/index.ts';
import { ref, route, writeAssembly } from './small-app.ts';

const generated = { SecretStringTemplate: '{}', GenerateStringKey: 'current', PasswordLength: 64, ExcludePunctuation: true };
const code = `import { request } from 'node:http';
  export const handler = () => new Promise((resolve, reject) => {
    const body = JSON.stringify({ SecretId: process.env.PAYMENT_WEBHOOK_SECRETS });
    const sent = request(process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, { method: 'POST', headers: { 'x-amz-target': 'secretsmanager.GetSecretValue', 'content-length': body.length } }, async (response) => {
      resolve({ statusCode: 200, body: JSON.parse(Buffer.concat(await response.toArray()).toString()).SecretString });
    });
    sent.once('error', reject).end(body);
  });`;

/** A runtime whose one function answers with what it is given to verify webhooks by. */
async function startWith(webhookSecrets?: readonly string[]) {
  const cdkOut = await writeAssembly(
    { Read: { code, environment: { PAYMENT_WEBHOOK_SECRETS: ref('Secret') } } },
    { ...route('GET /', 'Read'), Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: generated } } },
  );
  const runtime = await startRuntime({ port: 0, cdkOut, webhookSecrets });
  try {
    return { webhookSecret: runtime.webhookSecret, stored: (await (await fetch(runtime.url)).json()) as unknown };
  } finally {
    await runtime.stop();
  }
}

describe('what payment providers sign with', () => {
  it('is made by the runtime, and given out as providers want it', async () => {
    const { webhookSecret, stored } = await startWith();
    expect(webhookSecret).toMatch(/^whsec_[A-Za-z0-9]{64}$/);
    expect(stored).toEqual({ current: webhookSecret?.slice('whsec_'.length) });
  });

  it('is what was given instead, newest first, with all that came before it', async () => {
    const given = [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'whsec_bm9ib2R5IGtub3dzIHRoaXMgc2VjcmV0',
      'whsec_b25jZSB1cG9uIGEgdGltZSB0aGVyZSB3YXM=',
    ];
    const { webhookSecret, stored } = await startWith(given);
    expect(webhookSecret).toBe(given[0]);
    expect(stored).toEqual({ current: given[0], previous: given.slice(1) });
  });
});
