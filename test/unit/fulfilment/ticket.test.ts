import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTicket } from '../../../functions/fulfilment/check-ticket.ts';
import { issueTickets, NoTicketFor, provenUnit, readTicketCode } from '../../../functions/fulfilment/ticket.model.ts';
import { TicketCode } from '../../../functions/fulfilment/ticket.schemas.ts';
import { type Order, type OrderStatus, orderStatuses } from '../../../functions/orders/order.model.ts';

const secret = 'a secret that is long enough for it';
const orderId = () => `ord_${randomBytes(16).toString('base64url')}`;
const orderOf = (changes: Partial<Order> = {}) =>
  ({
    orderId: orderId(),
    saleId: 'launch',
    status: 'FULFILLED',
    items: [
      { sku: 'tee', quantity: 2, units: ['17', '18'], priceMinor: 1 },
      { sku: 'mug', quantity: 1, units: ['17'], priceMinor: 1 },
    ],
    ...changes,
  }) as Order;

const check = (code: string, order: Order, secrets: readonly string[] = [secret]) =>
  checkTicket(code, { orders: { get: async (id) => (id === order.orderId ? order : undefined) }, ticketSecrets: async () => secrets });

describe('tickets', () => {
  it('are one per unit, each naming it, and the same when issued again', () => {
    const order = orderOf();
    const tickets = issueTickets(order, secret);
    expect(tickets.map(({ sku, unit }) => `${sku} ${unit}`)).toEqual(['tee 17', 'tee 18', 'mug 17']);
    expect(new Set(tickets.map(({ code }) => code)).size).toBe(3);
    expect(issueTickets(order, secret)).toEqual(tickets);
    for (const { code } of tickets) expect(TicketCode.safeParse(code).success).toBe(true);
  });

  it('are not issued for what is no order', () => {
    expect(() => issueTickets(orderOf({ orderId: 'ord_short' }), secret)).toThrow(NoTicketFor);
  });

  it('let their bearer in while the order is fulfilled, and not once it is refunded', async () => {
    const order = orderOf();
    const expected: Partial<Record<OrderStatus, boolean>> = { FULFILLED: true, REFUNDING: false, REFUNDED: false };
    for (const { code, sku, unit } of issueTickets(order, secret)) {
      for (const status of orderStatuses) {
        const valid = expected[status];
        const known = { outcome: 'known', valid, saleId: 'launch', sku, unit };
        expect(await check(code, { ...order, status })).toEqual(valid === undefined ? { outcome: 'unknown' } : known);
      }
    }
  });

  it('of an older secret are good as long as that secret is listed', async () => {
    const order = orderOf();
    const [ticket] = issueTickets(order, 'the secret of last year, long enough');
    expect(await check(ticket?.code ?? '', order, [secret, 'the secret of last year, long enough'])).toMatchObject({ valid: true });
    expect(await check(ticket?.code ?? '', order, [secret])).toEqual({ outcome: 'unknown' });
  });
});

describe('a forged code is unknown', () => {
  const order = orderOf();
  const codes = issueTickets(order, secret).map(({ code }) => code);

  it('whichever character is changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.nat(43), fc.constantFrom(...'ABab01-_'), (code, at, character) => {
        const forged = code.slice(0, at) + character + code.slice(at + 1);
        fc.pre(!codes.includes(forged));
        const claim = readTicketCode(forged);
        expect(claim && provenUnit(claim, order, [secret])).toBeUndefined();
      }),
    );
  });

  it('whatever it is made of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ minLength: 40, maxLength: 60 })), (code) => {
        const claim = readTicketCode(code);
        expect(claim && provenUnit(claim, order, [secret])).toBeUndefined();
      }),
    );
  });

  it('when it is another order’s, another unit’s or another sale’s signature', () => {
    const claims = codes.map((code) => readTicketCode(code));
    for (const claim of claims) {
      if (!claim) throw new Error('a code that was issued could not be read');
      expect(provenUnit(claim, order, [secret])).toBeDefined();
      expect(provenUnit({ ...claim, position: (claim.position + 1) % 3 }, order, [secret])).toBeUndefined();
      expect(provenUnit({ ...claim, position: 200 }, order, [secret])).toBeUndefined();
      expect(provenUnit(claim, { ...order, saleId: 'another' }, [secret])).toBeUndefined();
      const other = orderOf();
      expect(provenUnit({ ...claim, orderId: other.orderId }, other, [secret])).toBeUndefined();
    }
  });
});
