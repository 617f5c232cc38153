import { setTimeout as pause } from 'node:timers/promises';
import { holdIdOf, orderIdOf } from '../../functions/shared/ids.ts';
import { startEngine } from '../../test/support/engine.ts';
import { type Crash, type Mechanism, type StoredOrder, soldOut } from './mechanism.ts';

const saleId = 'launch-day';
const perBuyerLimit = 20;
/** A timer may be early by Redis' clock. */
const graceMs = 50;

/** All that `POST /orders` does below HTTP: the reserve script, then one transaction that claims units, allowance and order, then the acknowledgement. */
export const complete: Mechanism<undefined> = {
  name: 'reserve script, then the claim in DynamoDB',
  ours: true,
  async open(_, { stock, leaseMs, attempts }) {
    const engine = await startEngine();
    await engine.openSale(saleId, stock, { perBuyerLimit, holdSeconds: leaseMs / 1_000 });
    const { placePorts } = engine;
    const dying = (crash: Crash) => ({ ...placePorts, claims: { ...placePorts.claims, claim: async () => crash() } });
    return {
      async buy({ key, buyerId, quantity }, _lane, crash) {
        const placed = await engine.place(saleId, buyerId, { key, quantity, ports: crash ? dying(crash) : placePorts });
        if (placed.outcome === 'sold-out') return soldOut;
        if (placed.outcome === 'placed' || placed.outcome === 'replayed') return { sold: true, orderId: placed.order.orderId };
        throw new Error(`placing an order came to ${placed.outcome}`);
      },
      async settle() {
        await pause(leaseMs + graceMs);
        await engine.sweep();
      },
      async orders() {
        const keyOf = new Map(attempts.map(({ buyerId, key }) => [orderIdOf(holdIdOf(placePorts.holdSecret, buyerId, saleId, key)), key]));
        const rows = [...(await engine.unitRows(saleId))].map(([unit, row]) => ({ unit, orderId: String(row.orderId) }));
        return [...Map.groupBy(rows, ({ orderId }) => orderId)].map(([orderId, of]): StoredOrder => {
          return { orderId, key: keyOf.get(orderId) ?? `nobody's: ${orderId}`, quantity: of.length, units: of.map(({ unit }) => unit) };
        });
      },
      close: engine.stop,
    };
  },
};
