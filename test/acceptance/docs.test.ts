import { afterAll, describe, expect, inject, it } from 'vitest';
import { granted, openShop } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const url = inject('baseUrl');
const page = await fetch(`${url}/docs`);
const html = await page.text();
const files = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, address = '']) => new URL(address, `${url}/docs`));

describe('GET /docs', () => {
  it('is a page for anybody, with all its files on the same origin', async () => {
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('x-request-id')).toBeTruthy();
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) {
      expect(file.origin).toBe(new URL(url).origin);
      const answer = await fetch(file);
      expect(answer.status, file.pathname).toBe(200);
      expect(answer.headers.get('content-type'), file.pathname).toMatch(/^text\/(javascript|css|plain); charset=utf-8$/);
      expect((await answer.text()).length, file.pathname).toBeGreaterThan(100);
    }
  });

  it('sends what is large compressed, as bytes that a browser takes', async () => {
    const script = files.find(({ pathname }) => /swagger-ui\.\w+\.js$/.test(pathname));
    if (!script) throw new Error('the page has no Swagger UI');
    const packed = await fetch(script, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    const plain = await fetch(script, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    // What `fetch` gives is unpacked.
    expect(await packed.text()).toBe(await plain.text());
  });

  it('answers HEAD and OPTIONS as every public path does', async () => {
    const head = await fetch(`${url}/docs`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const options = await fetch(`${url}/docs`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await fetch(`${url}/docs`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/docs/nothing.js`)).status).toBe(404);
  });
});

describe('the document that it shows', () => {
  it('says how to try it: each example of a request is one that the service takes', async (test) => {
    test.skip(!shop.isLocal, 'the buyers whose tokens are given have names of their own');
    const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: Record<string, Record<string, Operation>> };
    const example = (path: string) => Object.values(paths[path]?.post?.requestBody?.content['application/json']?.examples ?? {})[0]?.value;
    const id = crypto.randomUUID().slice(0, 8);
    const own = <Body extends object>(body: Body): Body => JSON.parse(JSON.stringify(body).replaceAll('tee-black-m', `tee-${id}`)) as Body;

    granted(await shop.operator.createProduct(own(example('/v1/products') as never)), 201);
    const sale = own(example('/v1/sales') as { saleId: string });
    granted(await shop.operator.createSale({ ...(sale as never as object), saleId: `launch-${id}` } as never, `key-${id}`), 201);
    const buyer = await shop.shopper();
    const order = own(example('/v1/sales/{saleId}/orders') as object);
    granted(await buyer.client.placeOrder(`launch-${id}`, order as never, `key-${id}`), 201);
  });
});

interface Operation {
  readonly requestBody?: { readonly content: Record<string, { readonly examples?: Record<string, { readonly value: unknown }> }> };
}
