import { createHmac, hash } from 'node:crypto';
import * as z from 'zod';

const identifier = (lengthMax: number) => z.string().regex(new RegExp(`^[A-Za-z0-9._-]{1,${lengthMax}}$`));

export const SaleId = identifier(64).meta({ id: 'SaleId', example: 'launch-day' });
export const Sku = identifier(64).meta({ id: 'Sku', example: 'tee-black-m' });
export const UserId = identifier(64).meta({ id: 'UserId', example: 'ada' });
/** A seat's name; it never has what keys and records are joined with. */
export const Seat = identifier(32).meta({ id: 'Seat', example: 'A-12' });
/** Opaque to callers: `ord_` and the hold's id. */
export const OrderId = z
  .string()
  .regex(/^ord_[A-Za-z0-9_-]{22}$/)
  .meta({ id: 'OrderId', example: 'ord_mHcBvGJ0Q2yQxg5vJ6yYdw' });

/**
 * The id of the hold that this caller's key stands for: HMAC-SHA256, cut to 128 bits. The same request always meets its own hold and order.
 * Method and path are part of the scope through the sale: one route alone makes holds.
 */
export function holdIdOf(secret: string, caller: string, saleId: string, key: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([caller, saleId, key]))
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

const orderIdPrefix = 'ord_';
/** Between an order's first hold and what a later hold of it adds. Neither has it: both are base64url. */
const laterHoldMark = '.';

/** The id of a buyer's cart in a sale. What is signed is no list, as it is for a hold, so that nobody's key leads to it. */
export function cartIdOf(secret: string, caller: string, saleId: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify({ cart: [caller, saleId] }))
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

/** The order of a hold, of its first or of one that late money made. */
export const orderIdOf = (holdId: string): string => `${orderIdPrefix}${holdId.split(laterHoldMark, 1)[0]}`;

/** The hold that the order's id is derived from. */
export const firstHoldIdOf = (orderId: string): string => orderId.slice(orderIdPrefix.length);

/**
 * The hold by which late money gets units for an order that has ended: the first one's mark stays for replays. Of its own for each payment, SHA-256 cut
 * to 128 bits; it needs no secret, because nobody outside can name a hold.
 */
export function laterHoldIdOf(orderId: string, paymentId: string): string {
  const digest = hash('sha256', JSON.stringify([orderId, paymentId]), 'buffer').subarray(0, 16);
  return `${firstHoldIdOf(orderId)}${laterHoldMark}${digest.toString('base64url')}`;
}

/** What "the same payload" means: SHA-256 of the parsed body, cut to 96 bits. Schemas give the members their order. */
export function payloadHashOf(body: unknown): string {
  return hash('sha256', JSON.stringify(body), 'buffer').subarray(0, 12).toString('base64url');
}

/** Spreads keys over `shards` evenly and always the same way. */
export function shardOf(id: string, shards: number): number {
  return hash('sha1', id, 'buffer').readUInt32BE(0) % shards;
}
