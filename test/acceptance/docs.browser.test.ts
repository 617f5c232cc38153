import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openShop, type TestSale } from '../support/acceptance.ts';
import { findBrowser, openPage, type Page } from '../support/browser.ts';

const browser = findBrowser();
const shop = await openShop();
const url = inject('baseUrl');

let page: Page;
let sale: TestSale;
beforeAll(async () => {
  if (browser === undefined) return;
  sale = await shop.sale({ units: 5 });
  page = await openPage(browser);
  await page.open(`${url}/docs`);
  await page.soon('the operations are on the page', `document.querySelectorAll('.opblock').length > 10`);
});
afterAll(async () => {
  await page?.close();
  await shop.close();
});

const operation = '#operations-Orders-placeOrder';
const click = (selector: string) => page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
const isThere = (selector: string) => page.soon(selector, `!!document.querySelector(${JSON.stringify(selector)})`);

/** Types into a field and leaves it, as a person does: the page waits for one or the other before it takes what was typed. */
const fill = (selector: string, text: string) =>
  page.evaluate(`(() => {
    const field = document.querySelector(${JSON.stringify(selector)});
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, ${JSON.stringify(text)});
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new FocusEvent('focusout', { bubbles: true }));
  })()`);

describe.skipIf(browser === undefined)('the page at /docs, in a browser (needs chromium or chrome on the PATH)', () => {
  it('lists every operation of the document', async () => {
    const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: Record<string, object> };
    const operations = Object.values(paths).flatMap((item) => Object.keys(item)).length;
    expect(await page.evaluate(`document.querySelectorAll('.opblock').length`)).toBe(operations);
  });

  it('gets a token where they are given away, and places an order with it and a key of its own', async (test) => {
    test.skip(!shop.isLocal, 'needs /local/token');
    await page.soon('the form is shown', `!document.getElementById('token-form').hidden`);
    const { userId } = await shop.shopper();
    await fill('#token-form input', userId);
    await click('#token-form button');
    expect(await page.soon('a token', `document.getElementById('token-outcome').textContent`)).toContain(`${userId} with sale:buy`);

    await click(`${operation} .opblock-summary-control`);
    await isThere(`${operation} .try-out__btn`);
    await click(`${operation} .try-out__btn`);
    await isThere(`${operation} .execute`);
    await fill(`${operation} [data-param-name="saleId"] input`, sale.saleId);
    await fill(`${operation} textarea.body-param__text`, JSON.stringify({ items: [{ sku: sale.sku, quantity: 1 }] }));
    await click(`${operation} .execute`);
    const answer = `${operation} .live-responses-table tbody`;
    await isThere(`${answer} .response-col_status`);
    expect(await page.evaluate(`document.querySelector('${answer} .response-col_status').innerText`)).toContain('201');
    const sent = await page.evaluate<string>(`document.querySelector('${operation} .curl').innerText`);
    expect(sent).toMatch(/Idempotency-Key: [0-9a-f-]{36}/);
    expect(sent).toMatch(/Authorization: Bearer ey/);
    expect((await shop.view(sale)).items[0]?.available).toBe(4);

    // A second press is a second order, no replay of the first.
    await click(`${operation} .execute`);
    await page.soon('another key', `document.querySelector('${operation} .curl').innerText !== ${JSON.stringify(sent)}`);
    await expect.poll(async () => (await shop.view(sale)).items[0]?.available, { timeout: 30_000 }).toBe(3);
  });

  it('tries GraphQL by an example, and shows what it answers', async (test) => {
    test.skip(!shop.isLocal, 'needs /local/token');
    const graphql = '#operations-GraphQL-graphql';
    await click(`${graphql} .opblock-summary-control`);
    await isThere(`${graphql} .try-out__btn`);
    await click(`${graphql} .try-out__btn`);
    await isThere(`${graphql} .execute`);
    const body = `document.querySelector('${graphql} textarea.body-param__text').value`;
    expect(JSON.parse(await page.evaluate<string>(body))).toMatchObject({ query: expect.stringContaining('sale(saleId: $saleId)') });
    await click(`${graphql} .execute`);
    const answer = `${graphql} .live-responses-table tbody`;
    await isThere(`${answer} .response-col_status`);
    expect(await page.evaluate(`document.querySelector('${answer} .response-col_status').innerText`)).toContain('200');
    const shown = await page.evaluate<string>(`document.querySelector('${answer}').innerText`);
    // The example's sale need not be there; the account is.
    expect(shown).toContain('balanceMinor');
  });

  it('asks no other host for anything, and breaks no policy', () => {
    const elsewhere = page.requested.filter((address) => !address.startsWith('data:') && new URL(address).origin !== new URL(url).origin);
    expect(elsewhere).toEqual([]);
    expect(page.complaints).toEqual([]);
  });
});
