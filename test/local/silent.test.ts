import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { Connection } from '../../lib/client/connection.ts';
import { type AuditBody, isAtRest, type OrderBody } from '../../lib/client/contract.ts';
import { localCallers } from '../../lib/client/tokens.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { type Synthesised, synthesised } from '../stack/synthesised.ts';

/** The whole system, whose bus delivers nothing to anybody. */
let stacks: Synthesised;
let runtime: Runtime;
let connection: Connection;
beforeAll(async () => {
  stacks = synthesised();
  deafen();
  runtime = await startRuntime({ port: 0, cdkOut: stacks.directory });
  connection = new Connection(runtime.url, { connections: 32, timeoutMs: 180_000 });
});
afterAll(async () => {
  await connection?.close();
  await runtime?.stop();
  stacks?.remove();
});

/** No rule of the template matches anything any more. */
function deafen(): void {
  const file = join(stacks.directory, 'Stampede.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8'));
  for (const { id } of stacks.of('AWS::Events::Rule')) {
    if (template.Resources[id]) template.Resources[id].Properties.EventPattern = { source: ['nobody'] };
  }
  writeFileSync(file, JSON.stringify(template));
}

const orders = 200;
/** Of ten, six have money, two have none, and two never pay from outside. */
const kindOf = (n: number) => (n % 10 < 6 ? 'rich' : n % 10 < 8 ? 'poor' : 'silent');
const rich = 120;
const priceMinor = 1_000;

function ok<Body>(answer: { ok: boolean; status: number; text: string; body: unknown }): Body {
  if (!answer.ok) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body as Body;
}

describe.concurrent.each<{ strategy: Strategy; units: number }>([
  { strategy: 'reserve-first', units: orders },
  { strategy: 'charge-first', units: rich - 20 },
])('with the event bus switched off, $strategy', ({ strategy, units }) => {
  it('every order of 200 ends by the sweeper alone', { timeout: 330_000 }, async () => {
    const client = new Client(connection);
    const callers = localCallers(client, strategy);
    const operator = client.as(await callers.operator());
    ok(await operator.createProduct({ sku: strategy, name: 'Tee', priceMinor, currency: 'EUR' }));
    const window = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
    // Who never pays has a sale of their own: its holds end soon, and those of the others last longer than the sweeper may take.
    const unpaid = `${strategy}-unpaid`;
    const sale = { name: 'Silent', ...window, strategy };
    ok(await operator.createSale({ ...sale, saleId: strategy, holdSeconds: 600, items: [{ sku: strategy, units }] }, strategy));
    ok(await operator.createSale({ ...sale, saleId: unpaid, holdSeconds: 30, items: [{ sku: strategy, units: 40 }] }, unpaid));

    const buyers = (await callers.buyers(orders)).map((buyer, n) => ({ ...buyer, kind: kindOf(n) }));
    const placed = await inParallel(buyers, 16, async ({ userId, token, kind }) => {
      if (kind === 'rich') ok(await operator.createUser({ userId, balanceMinor: 5_000, currency: 'EUR' }));
      const method = kind === 'silent' ? ('external' as const) : ('balance' as const);
      const items = [{ sku: strategy, quantity: 1 }];
      const saleId = kind === 'silent' ? unpaid : strategy;
      return ok<OrderBody>(await client.as(token).placeOrder(saleId, { items, payment: { method } }, 'once'));
    });
    expect(placed).toHaveLength(orders);

    const ends = new Map<string, OrderBody>();
    const allAtRest = async () => {
      ok(await client.localRun('sweeper'));
      const waiting = placed.filter(({ orderId }) => !ends.has(orderId));
      await inParallel(waiting, 8, async ({ orderId }) => {
        const order = ok<OrderBody>(await operator.order(orderId));
        if (isAtRest(order)) ends.set(orderId, order);
      });
      return ends.size === orders || undefined;
    };
    await until('every order ends', allAtRest, { withinMs: 240_000, everyMs: 2_000 });
    const statuses = [...ends.values()].map(({ displayStatus }) => displayStatus);
    const count = (status: string) => statuses.filter((each) => each === status).length;
    expect(count('COMPLETED')).toBe(Math.min(units, rich));
    expect(count('FAILED_OUT_OF_STOCK')).toBe(Math.max(0, rich - units));
    expect(count('FAILED_PAYMENT')).toBe(40);
    expect(count('EXPIRED')).toBe(40);

    const soldOf = (saleId: string) =>
      until(
        'a clean audit',
        async () => {
          const { items, money, redis } = ok<AuditBody>(await operator.audit(saleId));
          return items.every(({ conserved }) => conserved) && money.balanced && redis.agrees ? items.map(({ sold }) => sold) : undefined;
        },
        { withinMs: 60_000 },
      );
    expect(await soldOf(strategy)).toEqual([Math.min(units, rich)]);
    expect(await soldOf(unpaid)).toEqual([0]);
  });
});
