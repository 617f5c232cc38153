import { again, untilSettled } from '../shared/retry.ts';
import type { Projection } from '../views/view.ports.ts';
import { edgeNames, edgesAhead, isOn } from './capacity.model.ts';
import type { PlanPorts } from './capacity.ports.ts';

/** An event speaks of a sale that the table does not have. It is written before its events, so somebody else's message came in. */
export class UnknownSale extends Error {
  override readonly name = 'UnknownSale';
}

/**
 * Brings a sale's schedules to what the sale says now, and has the level looked at: its lead may have begun already, or it has just closed. What
 * the event said does not matter, so events may be lost, doubled, late or out of order. Of two at once that saw different versions of the sale
 * the one that wrote last looks again, and it is right. `off`: nobody asked for capacity, and nothing was done.
 */
export async function planSale(saleId: string, ports: PlanPorts): Promise<'planned' | 'off'> {
  if (!isOn(ports.wants)) return 'off';
  await untilSettled(async () => {
    const planned = await scheduleSale(saleId, ports);
    const { version } = await readSale(saleId, ports);
    return version === planned ? 'settled' : again;
  });
  await ports.look();
  return 'planned';
}

/** Plans the sales of a batch of messages, each once; what failed is told of each message by itself. */
export const planSales =
  (ports: PlanPorts): Projection<{ readonly saleId: string }> =>
  async (messages) => {
    const failed = new Map<string, unknown>();
    for (const [saleId, about] of Map.groupBy(messages, ({ detail }) => detail.saleId)) {
      try {
        await planSale(saleId, ports);
      } catch (error) {
        for (const { messageId } of about) failed.set(messageId, error);
      }
    }
    return failed;
  };

/** Puts the schedules that are ahead, and takes away the others. Answers with the version of the sale that they follow. */
async function scheduleSale(saleId: string, ports: PlanPorts): Promise<number> {
  const { schedules, wants, clock } = ports;
  const sale = await readSale(saleId, ports);
  const edges = edgesAhead(sale, wants, clock.nowMs());
  for (const name of edgeNames) {
    const atMs = edges[name];
    if (atMs === undefined) await schedules.remove(saleId, name);
    else await schedules.put(saleId, name, atMs);
  }
  return sale.version;
}

async function readSale(saleId: string, { sales }: PlanPorts) {
  const sale = await sales.get(saleId, { consistent: true });
  if (!sale) throw new UnknownSale(saleId);
  return sale;
}
