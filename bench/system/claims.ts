import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Order, Transition } from '../../functions/orders/order.model.ts';
import { placePorts } from '../../functions/orders/place.wiring.ts';
import { placement } from '../../functions/orders/placement.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { holdIdOf, payloadHashOf } from '../../functions/shared/ids.ts';
import { buyerOf, order as request } from './events.ts';

// Bundled as functions are. What an order's write costs its client, wired as in the function that places orders, and the least that any write costs
// with the SDK as it comes.

/** The first version of the order of one unit, as the hold's script would have it answered. */
function placed(sale: Sale, number: number): Transition {
  const nowMs = Date.now();
  const buyerId = buyerOf(number);
  const holdId = holdIdOf('a secret of the bench', buyerId, sale.saleId, `key-${number}`);
  const lines = request.items.map(({ sku }) => ({ sku, units: [String(number + 1)] }));
  const [payloadHash, slots] = [payloadHashOf(request), [(number % 20) + 1]];
  return placement({ holdId, buyerId, payloadHash, bornUs: nowMs * 1_000, expiresAtMs: nowMs + 300_000, lines, slots }, sale, 'external');
}

/** Writes the order with its outbox row, unit and allowance in one transaction. */
export async function claimOrder(sale: Sale, number: number): Promise<Order> {
  const { claims } = await placePorts();
  const transition = placed(sale, number);
  const { outcome } = await claims.claim(transition);
  if (outcome !== 'claimed') throw new Error(`the claim of order ${number} came out as ${outcome}`);
  return transition.next;
}

const client = new DynamoDBClient();

/** One small item, by a client with nothing set. */
export async function putItem(TableName: string, number: number): Promise<void> {
  const Item = { messageId: { S: `put-${number}` }, atMs: { N: String(Date.now()) }, state: { S: 'HELD' } };
  await client.send(new PutItemCommand({ TableName, Item }));
}
