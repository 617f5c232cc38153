import type { Refusal } from '../shared/dynamo.ts';
import type { LineUnits } from '../stock/stock.model.ts';
import type { Claimed } from './order.writes.ts';

/** What other orders have of a claim: units, or the buyer's slots; both may be at once. */
export interface Collision {
  readonly units: readonly LineUnits[];
  readonly slots: readonly number[];
}

/** Units grouped by item, in order of first mention. */
export function byItem(units: readonly { sku: string; unit: string; seated?: true }[]): LineUnits[] {
  const lines = Map.groupBy(units, ({ sku }) => sku);
  return [...lines].map(([sku, of]) => ({ sku, units: of.map(({ unit }) => unit), ...(of[0]?.seated ? { seated: true } : {}) }));
}

/** The units and slots of a refused claim that others have. A twin may be seen half way: what stands under the order's own id is no collision. */
export function collisionOf(orderId: string, refusals: readonly Refusal[], about: readonly Claimed[]): Collision {
  const refused = refusals.filter(({ item }) => item?.orderId !== orderId).map(({ index }) => about[index]);
  return {
    units: byItem(refused.flatMap((claim) => (claim?.kind === 'unit' ? [claim] : []))),
    slots: refused.flatMap((claim) => (claim?.kind === 'slot' ? [claim.slot] : [])),
  };
}
