import { randomUUID } from 'node:crypto';
import type { SaleState } from '../../functions/sales/sale.model.ts';
import { Client } from '../client/client.ts';
import { type Answer, Connection } from '../client/connection.ts';

/** The demo could not be loaded: what the API answered instead. */
export class DemoRefused extends Error {
  override readonly name = 'DemoRefused';
}

const product = { sku: 'demo-tee', name: 'Stampede tee, black', priceMinor: 2_500, currency: 'EUR' };
const buyer = { userId: 'ada', name: 'Ada', balanceMinor: 100_000, currency: 'EUR' };
const saleId = 'demo';
const openMs = 24 * 3_600_000;

/**
 * Loads a sale that is open now, and a buyer with money, through the runtime's own HTTP API. What is there already stays; the answer is the
 * state of the sale.
 */
export async function loadDemo(url: string, nowMs: number): Promise<SaleState> {
  const connection = new Connection(url, { connections: 1 });
  try {
    const anyone = new Client(connection);
    const token = expectDone(await anyone.localToken({ sub: 'demo-operator', scope: 'sale:operate' }), 'a token');
    const operator = anyone.as(token?.access_token ?? '');
    expectDone(await operator.createProduct(product), 'the product');
    expectDone(await operator.createUser(buyer), 'the buyer');
    const times = { opensAt: new Date(nowMs).toISOString(), closesAt: new Date(nowMs + openMs).toISOString() };
    const sale = { saleId, name: 'Demo', ...times, perBuyerLimit: 5, items: [{ sku: product.sku, units: 100 }] };
    // A key of its own: a sale of an earlier start refuses by its id, and stays.
    const made = expectDone(await operator.createSale(sale, randomUUID()), 'the sale');
    if (made) return made.state;
    const earlier = await anyone.sale(saleId);
    // One that can't be read at this moment is being rebuilt, for those who buy.
    return earlier.ok ? earlier.body.state : 'open';
  } finally {
    await connection.close();
  }
}

function expectDone<Body>(answer: Answer<Body>, what: string): Body | undefined {
  if (answer.ok) return answer.body;
  if (answer.body?.code === 'ALREADY_EXISTS') return undefined;
  throw new DemoRefused(`${what} was answered with ${answer.status}: ${answer.text.slice(0, 500)}`);
}

/** One command that buys one unit, for pasting into a shell: each run is another order. Needs curl, sed and od alone. */
export function buyCommand(url: string): string {
  const request = JSON.stringify({ sub: buyer.userId, scope: 'sale:buy' });
  const token = `curl -s ${url}/local/token -d '${request}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`;
  const key = "od -An -N8 -tx8 /dev/urandom | tr -d ' '";
  const order = JSON.stringify({ items: [{ sku: product.sku, quantity: 1 }] });
  return `curl -s ${url}/v1/sales/${saleId}/orders -H "Authorization: Bearer $(${token})" -H "Idempotency-Key: $(${key})" -H 'Content-Type: application/json' -d '${order}'`;
}

/** One command that pays an order from outside, as its payment provider would. */
export const payCommand = (url: string, secret: string): string => `PAYMENT_WEBHOOK_SECRETS=${secret} npm run pay -- --url ${url} ORDER_ID`;
