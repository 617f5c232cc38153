import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a role: told with each call, and signed. */
  readonly sessionToken?: string | undefined;
}

export interface ToSign {
  /** The path of the URL; `/` for every service that speaks JSON. There is no query. */
  readonly path: string;
  /** All headers that are signed but for the host, the date and the session's token; in lower case, their values trimmed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  readonly body: string;
  readonly atMs: number;
}

/** The headers that make a call one of ours: the moment, the session's token if there is one, and the signature over all of it. */
export interface SignedHeaders {
  readonly 'x-amz-date': string;
  readonly 'x-amz-security-token'?: string;
  readonly authorization: string;
}

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** `20260102T030405Z`. */
export const amzDate = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

/**
 * Signs POSTs to one service in one region by AWS' Signature Version 4. The key is derived once a day: four hashes of five in a call are for it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signer(service: string, region: string, { accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  let known: { readonly day: string; readonly key: KeyObject } | undefined;
  const keyOf = (day: string): KeyObject => {
    if (known?.day !== day) {
      const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
      known = { day, key: createSecretKey(key as Buffer) };
    }
    return known.key;
  };

  return ({ path, headers, host, body, atMs }: ToSign): SignedHeaders => {
    const date = amzDate(atMs);
    const day = date.slice(0, 8);
    const token = sessionToken ? { 'x-amz-security-token': sessionToken } : {};
    const signed: Record<string, string> = { ...headers, host, 'x-amz-date': date, ...token };
    const names = Object.keys(signed).sort();
    const list = names.join(';');
    const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
    const canonical = `POST\n${path}\n\n${lines}\n${list}\n${hash('sha256', body)}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const signature = createHmac('sha256', keyOf(day))
      .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonical)}`)
      .digest('hex');
    return {
      'x-amz-date': date,
      ...token,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`,
    };
  };
}
