import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amzDate, signer } from '../../../functions/shared/signature.ts';

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and AWS' test suite for Signature Version 4.
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const suite = { path: '/', host: 'example.amazonaws.com', atMs: Date.UTC(2015, 7, 30, 12, 36, 0), headers: {}, body: '' };
const sessionToken =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

const signatureOf = (authorization: string) => authorization.replace(/^.*Signature=/, '');

describe('a signed call', () => {
  it.each([
    ['post-vanilla', {}, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    ['post-header-key-sort', { headers: { 'my-header1': 'value1' } }, 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c'],
    [
      'post-x-www-form-urlencoded',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Param1=value1' },
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('has the signature that AWS publishes for %s', (_, changes, expected) => {
    const { authorization } = signer('service', 'us-east-1', credentials)({ ...suite, ...changes });
    expect(signatureOf(authorization)).toBe(expected);
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, SignedHeaders=/);
  });

  it('signs the token of a role, as AWS publishes it', () => {
    const signed = signer('service', 'us-east-1', { ...credentials, sessionToken })(suite);
    expect(signatureOf(signed.authorization)).toBe('85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead');
    expect(signed['x-amz-security-token']).toBe(sessionToken);
  });

  const word = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/);
  const region = fc.constantFrom('eu-central-1', 'us-east-1', 'cn-north-1');
  const call = fc.record({
    accessKeyId: word,
    secretAccessKey: word,
    sessionToken: fc.option(word, { nil: undefined }),
    region,
    service: fc.constantFrom('dynamodb', 'sqs', 'secretsmanager'),
    target: fc.stringMatching(/^[A-Za-z0-9_]{1,20}\.[A-Za-z]{1,20}$/),
    body: fc.oneof(fc.json(), fc.string({ unit: 'binary' })),
    atMs: fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2090, 0, 1) }),
  });

  it('has the signature that the SDK gives it', async () => {
    class Sha256 {
      readonly #hash;
      constructor(secret?: string | Uint8Array) {
        this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
      }
      update(data: string | Uint8Array): void {
        this.#hash.update(data);
      }
      async digest(): Promise<Uint8Array> {
        return new Uint8Array(this.#hash.digest());
      }
      reset(): void {}
    }
    await fc.assert(
      fc.asyncProperty(call, async ({ region, service, target, body, atMs, ...given }) => {
        const host = `${service}.${region}.amazonaws.com`;
        const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target };
        const mine = signer(service, region, given)({ path: '/', headers, host, body, atMs });
        const { sessionToken: token, ...keys } = given;
        const theirs = await new SignatureV4({
          service,
          region,
          // The body's hash as a header is what S3 alone wants.
          applyChecksum: false,
          sha256: Sha256 as never,
          credentials: { ...keys, ...(token === undefined ? {} : { sessionToken: token }) },
        }).sign({ method: 'POST', protocol: 'https:', hostname: host, path: '/', headers: { ...headers, host }, body } as never, {
          signingDate: new Date(atMs),
        });
        const { authorization, 'x-amz-date': date } = (theirs as unknown as { headers: Record<string, string> }).headers;
        expect({ authorization: mine.authorization, date: mine['x-amz-date'] }).toEqual({ authorization, date });
      }),
      { numRuns: 200 },
    );
  });

  it('is signed with the key of its own day, also across midnight', () => {
    const sign = signer('service', 'us-east-1', credentials);
    const at = (atMs: number) => sign({ ...suite, atMs }).authorization;
    const midnight = Date.UTC(2026, 0, 2);
    const fresh = (atMs: number) => signer('service', 'us-east-1', credentials)({ ...suite, atMs }).authorization;
    for (const atMs of [midnight - 1, midnight, midnight - 1, midnight + 86_400_000]) expect(at(atMs)).toBe(fresh(atMs));
    expect(amzDate(midnight - 1)).toBe('20260101T235959Z');
  });
});
