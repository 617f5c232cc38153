import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { handler } from '../../../functions/docs/docs.handler.ts';
import type { HttpResult } from '../../../functions/shared/http.ts';
import { eventOf } from '../../support/api.ts';

const ask = async (method: string, path: string, headers: Record<string, string> = {}): Promise<HttpResult> =>
  handler(eventOf(method, path, { headers }), {} as Context);
const page = await ask('GET', '/docs');
const html = String(page.body);
/** Addresses of the page's files, as a browser resolves them. */
const files = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, address = '']) => new URL(address, 'http://here/docs').pathname);
const headersOf = ({ headers = {} }: HttpResult) => headers as Record<string, string>;

describe('the page', () => {
  it('is HTML that a browser asks for anew each time, with the request’s id', () => {
    expect(page.statusCode).toBe(200);
    expect(headersOf(page)).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    expect(headersOf(page)['x-request-id']).toBeTruthy();
  });

  it('has no script of its own, and its policy allows none, nor any other host', () => {
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\bon\w+="|javascript:/i);
    expect(html).not.toMatch(/https?:|\/\/[a-z]/i);
    const policy = String(headersOf(page)['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it('names only files that are there, by addresses that work below any prefix', async () => {
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) expect((await ask('GET', file)).statusCode, file).toBe(200);
    expect(html).not.toMatch(/(?:src|href)="\//);
  });

  it('answers HEAD without a body, and refuses what it does not know', async () => {
    expect(await ask('HEAD', '/docs')).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect((await ask('HEAD', '/docs')).body).toBeUndefined();
    for (const [method, path, status] of [
      ['GET', '/docs/nothing.js', 404],
      ['GET', '/docs?utm=1', 400],
      ['POST', '/docs', 405],
      ['GET', '/docs/a/b', 404],
    ] as const) {
      const refused = await ask(method, path);
      expect(refused.statusCode, `${method} ${path}`).toBe(status);
      expect(headersOf(refused)['content-type']).toBe('application/problem+json');
    }
  });
});

describe('a file of the page', () => {
  it('may be kept for ever, because its name says what is in it', async () => {
    for (const file of files) {
      const answer = await ask('GET', file);
      expect(headersOf(answer), file).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        vary: 'accept-encoding',
      });
      const [, hash, kind = ''] = /\.([0-9a-f]{16})\.(js|css|txt)$/.exec(file) ?? [];
      expect(createHash('sha256').update(String(answer.body)).digest('hex').slice(0, 16)).toBe(hash);
      expect(headersOf(answer)['content-type']).toBe(`text/${{ js: 'javascript', css: 'css', txt: 'plain' }[kind as 'js']}; charset=utf-8`);
    }
  });

  it('is compressed for whoever understands it, and the same text for all', async () => {
    for (const file of files) {
      const plain = await ask('GET', file, { 'accept-encoding': 'br, gzip;q=0' });
      expect(headersOf(plain)['content-encoding']).toBeUndefined();
      const packed = await ask('GET', file, { 'accept-encoding': 'br;q=1.0, gzip;q=0.8' });
      expect(packed).toMatchObject({ isBase64Encoded: true, headers: { 'content-encoding': 'gzip' } });
      expect(gunzipSync(Buffer.from(String(packed.body), 'base64')).toString()).toBe(plain.body);
    }
  });

  it('fits into what a function may answer, also without compression', async () => {
    const sizes = await Promise.all(files.map(async (file) => Buffer.byteLength(String((await ask('GET', file)).body))));
    expect(Math.max(...sizes)).toBeLessThan(6 * 1024 * 1024);
  });

  it('asks for no source map that nobody serves', async () => {
    for (const file of files) expect((await ask('GET', file)).body, file).not.toMatch(/# sourceMappingURL=\S+\s*$/);
  });

  it('brings the licences of what it is made of', async () => {
    const licenses = files.find((file) => file.includes('licenses')) ?? '';
    expect((await ask('GET', licenses)).body).toMatch(/SmartBear[\s\S]*Apache License/);
  });
});
