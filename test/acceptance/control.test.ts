import { afterAll, describe, expect, it } from 'vitest';
import { pause, until } from '../../lib/client/bounded.ts';
import type { Answer } from '../../lib/client/connection.ts';
import type { OrderBody, SaleChangesRequest } from '../../lib/client/contract.ts';
import { granted, openShop, patient, refused, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const external = { method: 'external' } as const;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const patch = (sale: TestSale, changes: SaleChangesRequest) => shop.operator.patchSale(sale.saleId, changes);

interface Attempt {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly answer: Answer<OrderBody>;
}

/** Buyers who buy again and again, until they are told to stop. */
async function crowdIn(sale: TestSale, buyers: number) {
  const shoppers = await shop.shoppers(buyers, 'no account');
  const attempts: Attempt[] = [];
  let goesOn = true;
  const all = Promise.all(
    shoppers.map(async (shopper) => {
      while (goesOn) {
        const sentMs = performance.now();
        const answer = await shopper.buy(sale, 1, external);
        attempts.push({ sentMs, answeredMs: performance.now(), answer });
        // Whoever is refused comes back a little later.
        if (!answer.ok) await pause(20);
      }
    }),
  );
  const stop = async () => {
    goesOn = false;
    await all;
    return attempts;
  };
  return { attempts, stop };
}

const boughtIn = (attempts: readonly Attempt[]) => attempts.flatMap(({ answer }) => (answer.ok ? [answer.body] : []));

describe('a pause', () => {
  it('under full load lets no order through after its answer, and the sale goes on when it ends', { timeout: 240_000 }, async () => {
    const sale = await shop.sale({ units: 100_000 });
    const { attempts, stop } = await crowdIn(sale, 60);
    await until('more have bought than there are buyers', async () => boughtIn(attempts).length > 60 || undefined, patient);
    const paused = granted(await patch(sale, { state: 'paused' }));
    const pausedMs = performance.now();
    expect(paused.state).toBe('paused');
    const askedSince = (ms: number) => attempts.filter(({ sentMs }) => sentMs > ms);
    await until('many have asked in vain', async () => askedSince(pausedMs).length > 300 || undefined, patient);
    const resuming = await shop.view(sale);
    const resumingMs = performance.now();
    const resumed = granted(await patch(sale, { state: 'open' }));
    expect(resumed.state).toBe('open');
    await until('somebody has bought again', async () => boughtIn(askedSince(resumingMs)).length > 0 || undefined, patient);
    await stop();

    const before = boughtIn(attempts).filter(({ createdAt }) => createdAt <= paused.serverTime);
    expect(before.length).toBeGreaterThan(60);
    const isMeanwhile = ({ createdAt }: OrderBody) => createdAt > paused.serverTime && createdAt < resuming.serverTime;
    expect(boughtIn(attempts).filter(isMeanwhile)).toEqual([]);
    // Whoever asked after the pause, and had its answer before anybody asked for its end, was refused.
    const asked = askedSince(pausedMs).filter(({ answeredMs }) => answeredMs < resumingMs);
    expect(asked.length).toBeGreaterThan(300);
    for (const { answer } of asked) refused(answer, 'SALE_PAUSED');
    for (const { answer } of attempts) if (!answer.ok) refused(answer, 'SALE_PAUSED');
    // Every order is there, those of before the pause too.
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: boughtIn(attempts).length }]);
  });

  it('does not keep anyone from paying for what was held before', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const placed = granted(await shopper.buy(sale), 201);
    granted(await patch(sale, { state: 'paused' }));
    expect((await shop.atRest(placed.orderId)).status).toBe('FULFILLED');
  });

  it('repeated says the same, and a key used before it replays', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper('no account');
    const first = await shopper.buy(sale, 1, { ...external, key: 'mine' });
    granted(await patch(sale, { state: 'paused' }));
    expect(granted(await patch(sale, { state: 'paused' })).state).toBe('paused');
    expect((await shopper.buy(sale, 1, { ...external, key: 'mine' })).text).toBe(first.text);
    refused(await shopper.buy(sale, 1, external), 'SALE_PAUSED');
    expect((await shop.view(sale)).state).toBe('paused');
  });
});

describe('closing', () => {
  it('is final: nothing opens, prolongs or restocks the sale any more, and closing again is no refusal', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper('no account');
    expect(granted(await patch(sale, { state: 'closed' })).state).toBe('closed');
    expect(refused(await shopper.buy(sale, 1, external), 'SALE_NOT_OPEN')).toMatchObject({ state: 'closed' });
    for (const changes of [{ state: 'open' }, { state: 'paused' }, { closesAt: inMs(9_000_000) }, { opensAt: inMs(-5_000_000) }] as const) {
      expect(refused(await patch(sale, changes), 'SALE_NOT_OPEN')).toMatchObject({ state: 'closed' });
    }
    refused(await shop.operator.restock(sale.saleId, { sku: sale.sku, units: 1, reason: 'more' }, 'key'), 'SALE_NOT_OPEN');
    expect(granted(await patch(sale, { state: 'closed' })).state).toBe('closed');
  });

  it('by the window is as final', async () => {
    const sale = await shop.sale();
    expect(granted(await patch(sale, { closesAt: inMs(-1_000) })).state).toBe('closed');
    refused(await patch(sale, { closesAt: inMs(60_000) }), 'SALE_NOT_OPEN');
    refused(await patch(sale, { state: 'open' }), 'SALE_NOT_OPEN');
    expect(granted(await patch(sale, { state: 'closed' })).state).toBe('closed');
  });
});

describe('a change of the window', () => {
  it('opens a sale that was to open later, and puts one off that was open', async () => {
    const sale = await shop.sale({ opensInMs: 3_000_000 });
    const shopper = await shop.shopper('no account');
    expect(refused(await shopper.buy(sale, 1, external), 'SALE_NOT_OPEN')).toMatchObject({ state: 'scheduled' });
    expect(granted(await patch(sale, { opensAt: inMs(-1_000) })).state).toBe('open');
    granted(await shopper.buy(sale, 1, external), 201);
    const later = inMs(1_000_000);
    expect(granted(await patch(sale, { opensAt: later }))).toMatchObject({ state: 'scheduled', opensAt: later });
    expect(refused(await shopper.buy(sale, 1, external), 'SALE_NOT_OPEN')).toMatchObject({ state: 'scheduled' });
  });

  it('that would end before it opens is refused, whichever end moves', async () => {
    const sale = await shop.sale();
    const { opensAt, closesAt } = await shop.view(sale);
    refused(await patch(sale, { opensAt: closesAt }), 'INVALID_REQUEST');
    refused(await patch(sale, { closesAt: opensAt }), 'INVALID_REQUEST');
    refused(await patch(sale, { opensAt: inMs(9_000), closesAt: inMs(8_000) }), 'INVALID_REQUEST');
    expect(await shop.view(sale)).toMatchObject({ opensAt, closesAt, state: 'open' });
  });
});

describe('a lower limit', () => {
  it('takes nothing from anyone and stops further buying, until it is raised', async () => {
    const sale = await shop.sale({ perBuyerLimit: 4 });
    const [rich, other] = [await shop.shopper(), await shop.shopper('no account')];
    const order = granted(await rich.buy(sale, 3), 201);
    expect(granted(await patch(sale, { perBuyerLimit: 2 })).perBuyerLimit).toBe(2);
    expect(refused(await rich.buy(sale, 1), 'BUYER_LIMIT')).toMatchObject({ limit: 2 });
    refused(await other.buy(sale, 3, external), 'BUYER_LIMIT');
    granted(await other.buy(sale, 2, external), 201);
    expect(await shop.atRest(order.orderId)).toMatchObject({ status: 'FULFILLED', items: [{ quantity: 3 }] });
    granted(await patch(sale, { perBuyerLimit: 5 }));
    granted(await rich.buy(sale, 2), 201);
    refused(await rich.buy(sale, 1), 'BUYER_LIMIT');
  });

  it('cannot be introduced on a sale without one', async () => {
    const sale = await shop.sale();
    refused(await patch(sale, { perBuyerLimit: 2 }), 'INVALID_REQUEST');
    expect(await shop.view(sale)).not.toHaveProperty('perBuyerLimit');
  });
});

describe('changes of a sale', () => {
  it('that race are all done, one after the other', async () => {
    const sale = await shop.sale({ perBuyerLimit: 1 });
    const limits = [2, 3, 4, 5];
    const answers = await Promise.all(limits.map((perBuyerLimit) => patch(sale, { perBuyerLimit })));
    for (const [index, answer] of answers.entries()) expect(granted(answer).perBuyerLimit).toBe(limits[index]);
    const { perBuyerLimit = 0 } = await shop.view(sale);
    expect(limits).toContain(perBuyerLimit);
    const shopper = await shop.shopper('no account');
    granted(await shopper.buy(sale, perBuyerLimit, external), 201);
    expect(refused(await shopper.buy(sale, 1, external), 'BUYER_LIMIT')).toMatchObject({ limit: perBuyerLimit });
  });

  it.each([
    ['nothing', {}],
    ['another field', { name: 'Another' }],
    ['a state that there is not', { state: 'sold-out' }],
    ['a limit of 21', { perBuyerLimit: 21 }],
    ['a time without a zone', { closesAt: '2030-01-01T00:00:00' }],
  ])('are refused with %s', async (_, changes) => {
    const sale = await shop.sale();
    refused(await patch(sale, changes as SaleChangesRequest), 'INVALID_REQUEST');
  });

  it('are for operators, and for sales that there are', async () => {
    const sale = await shop.sale({ seats: ['A-1'] });
    const shopper = await shop.shopper('no account');
    for (const caller of [shopper.client, shop.client]) {
      const code = caller === shop.client ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      refused(await caller.patchSale(sale.saleId, { state: 'closed' }), code);
      refused(await caller.restock(sale.saleId, { sku: sale.sku, seats: ['A-2'], reason: 'more' }, 'key'), code);
      refused(await caller.cancelSale(sale.saleId, 'no reason', 'key'), code);
      granted(await caller.seats(sale.saleId, sale.sku));
    }
    refused(await shop.operator.patchSale('nobody-made', { state: 'closed' }), 'NOT_FOUND');
    refused(await shop.operator.restock('nobody-made', { sku: 'x', units: 1, reason: 'more' }, 'key'), 'NOT_FOUND');
    refused(await shop.operator.cancelSale('nobody-made', 'no reason', 'key'), 'NOT_FOUND');
    expect((await shop.view(sale)).state).toBe('open');
  });
});
