import { type Endpoint, endpoint, type HttpEvent, type HttpResult } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { assetNamed, page } from './docs.assets.ts';
import { readDocsAssetRoute, readDocsRoute } from './docs.routes.ts';

/** The page's own files and this origin's answers, and nothing else: no script in the page itself, no frame around it, nowhere to send a form. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const safety = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

async function serveAsset(event: HttpEvent): Promise<HttpResult> {
  const found = assetNamed(event.pathParameters?.asset ?? '');
  if (!found) throw new Problem('NOT_FOUND', 'The page has no such file.');
  const headers = {
    ...safety,
    'content-type': found.contentType,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  };
  if (!takesGzip(event.headers['accept-encoding'])) return { statusCode: 200, headers, body: found.text };
  // A gateway hands on text as text, so what is binary travels in base64.
  const body = (await found.gzipped()).toString('base64');
  return { statusCode: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body, isBase64Encoded: true };
}

/** Whether a client said that it understands gzip; `gzip;q=0` says that it does not. */
const takesGzip = (acceptEncoding = ''): boolean =>
  acceptEncoding.split(',').some((each) => {
    const [coding = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });

export const docsEndpoints: readonly Endpoint[] = [
  endpoint(readDocsRoute, async () => ({
    text: page,
    headers: {
      ...safety,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy,
      // It names its files by their hashes: an old page would ask for files that are gone.
      'cache-control': 'no-cache',
    },
  })),
  { route: readDocsAssetRoute, serve: serveAsset },
];
