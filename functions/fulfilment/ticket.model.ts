import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Order, Ticket } from '../orders/order.model.ts';

/** What a ticket is issued for and checked against. */
export type TicketOrder = Pick<Order, 'orderId' | 'saleId' | 'items'>;

const orderIdPrefix = 'ord_';
const orderIdBytes = 16;
const signatureBytes = 16;
const codeBytes = orderIdBytes + 1 + signatureBytes;

/** An order id or unit that no ticket code can be made of: a fault of this program. */
export class NoTicketFor extends Error {
  override readonly name = 'NoTicketFor';
}

/** The units of an order, one by one, in the order that tickets are numbered by. */
const unitsOf = (order: TicketOrder) => order.items.flatMap(({ sku, units }) => units.map((unit) => ({ sku, unit })));

/** HMAC-SHA256 (RFC 2104) cut to 128 bits: guessing one takes 2^128 tries, each of them a request. */
const signatureOf = (order: TicketOrder, sku: string, unit: string, secret: string): Buffer =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['ticket', order.orderId, order.saleId, sku, unit]))
    .digest()
    .subarray(0, signatureBytes);

/**
 * One ticket per unit. The same order and secret give the same codes, so issuing twice changes nothing.
 * A code is base64url of the order's id (16 bytes), the unit's position (1 byte) and the signature (16 bytes).
 */
export function issueTickets(order: TicketOrder, secret: string): Ticket[] {
  const id = Buffer.from(order.orderId.slice(orderIdPrefix.length), 'base64url');
  const units = unitsOf(order);
  if (!order.orderId.startsWith(orderIdPrefix) || id.length !== orderIdBytes) throw new NoTicketFor(order.orderId);
  if (units.length > 256) throw new NoTicketFor(`${order.orderId} with ${units.length} units`);
  return units.map(({ sku, unit }, position) => ({
    sku,
    unit,
    code: Buffer.concat([id, Buffer.from([position]), signatureOf(order, sku, unit, secret)]).toString('base64url'),
  }));
}

/** What a code claims: which unit of which order, under which signature. Nothing of it is proven. */
export interface TicketClaim {
  readonly orderId: string;
  readonly position: number;
  readonly signature: Buffer;
}

/** Takes a code apart, or undefined if it never was one. Each claim has one code. */
export function readTicketCode(code: string): TicketClaim | undefined {
  const bytes = Buffer.from(code, 'base64url');
  if (bytes.length !== codeBytes || bytes.toString('base64url') !== code) return undefined;
  return {
    orderId: `${orderIdPrefix}${bytes.subarray(0, orderIdBytes).toString('base64url')}`,
    position: bytes.readUInt8(orderIdBytes),
    signature: bytes.subarray(orderIdBytes + 1),
  };
}

/**
 * The unit that a claim is proven for, by the order it names, or undefined for a forged one. Secrets newest first: a code signed
 * with any of them is good, so that a rotation spoils no ticket. Compared in constant time.
 */
export function provenUnit(claim: TicketClaim, order: TicketOrder, secrets: readonly string[]): { sku: string; unit: string } | undefined {
  const unit = unitsOf(order)[claim.position];
  if (!unit || order.orderId !== claim.orderId) return undefined;
  const proven = secrets.map((secret) => timingSafeEqual(signatureOf(order, unit.sku, unit.unit, secret), claim.signature));
  return proven.includes(true) ? unit : undefined;
}
