import { randomUUID } from 'node:crypto';
import type { Random } from './random.ts';
import type { Caller, Part, Scene, SceneSale } from './scene.ts';
import { word } from './values.ts';

/** A request of an operation before it is written down. */
export interface Sketch {
  readonly operationId: string;
  readonly caller: Caller;
  readonly params: Record<string, string>;
  readonly query: [name: string, value: string][];
  readonly headers: [name: string, value: string][];
  readonly value: unknown;
}

type Sense = (sketch: Sketch, tools: { part: Part; scene: Scene; sale: SceneSale; random: Random }) => Partial<Sketch>;

const hourMs = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const objectOf = (value: unknown) => value as Readonly<Record<string, unknown>>;

function seatsOf({ hall }: SceneSale, random: Random): string[] {
  const names = hall?.seats ?? [];
  const first = random.int(Math.max(1, names.length - 2));
  return names.slice(first, first + 1 + random.int(2));
}

function lineOf(sale: SceneSale, random: Random): object {
  if (sale.hall && random.chance(0.3)) return { sku: sale.hall.sku, seats: seatsOf(sale, random) };
  return { sku: random.pick(sale.counted), quantity: 1 + random.int(3) };
}

const fresh = (scene: Scene, random: Random, kind: string) => `${scene.prefix}-${kind}-${word(random, 8)}`;
const spareOf = ({ spareSkus }: Part, random: Random) => spareSkus[random.int(spareSkus.length)] ?? 'none';

/** Whose order it is asks for it; of orders, one of the newest. */
const ofOwner: Sense = (_, { part, random }) => {
  const order = part.orders.slice(-20)[random.int(Math.min(20, part.orders.length))];
  const owner = part.buyers.find(({ userId }) => userId === order?.buyerId);
  return order && owner ? { caller: owner, params: { orderId: order.orderId } } : {};
};

/** What the schemas do not say: which item of which sale is sold by number, whose order it is, what may be done to a sale so that it still sells. */
const senses: Readonly<Record<string, Sense>> = {
  readOrder: ofOwner,
  cancelOrder: ofOwner,
  placeOrder: ({ value }, { sale, random }) => {
    const { fromCart, ...others } = objectOf(value);
    if (fromCart !== undefined && random.chance(0.6)) return {};
    const items = Array.from({ length: 1 + random.int(2) }, () => lineOf(sale, random));
    return { params: { saleId: sale.saleId }, value: { ...others, items } };
  },
  setCartItem: (_, { sale, random }) => {
    const { sku, ...value } = objectOf(lineOf(sale, random));
    return { params: { saleId: sale.saleId, sku: String(sku) }, value };
  },
  dropCartItem: (_, { sale, random }) => ({ params: { saleId: sale.saleId, sku: random.pick([...sale.counted, sale.hall?.sku ?? '']) } }),
  listSeats: ({ query }, { sale }) => ({
    params: { saleId: sale.saleId },
    query: [...query.filter(([name]) => name !== 'sku'), ['sku', sale.hall?.sku ?? 'none']],
  }),
  restock: ({ value }, { sale, random }) => {
    const { reason } = objectOf(value);
    const isSeats = random.chance(0.3);
    const added = isSeats
      ? { sku: sale.hall?.sku, seats: [`${word(random, 4)}-${random.int(1_000)}`] }
      : { sku: random.pick(sale.counted), units: 1 + random.int(20) };
    return { params: { saleId: sale.saleId }, value: { reason, ...added } };
  },
  createSale: ({ value }, { part, scene, random }) => {
    const nowMs = Date.now();
    const sku = random.pick([spareOf(part, random), random.pick(random.pick(part.sales).counted)]);
    const items = [random.chance(0.7) ? { sku, units: random.pick([1, 10, 1_000, 1_000_000]) } : { sku, seats: ['A-1', 'A-2', 'B-1'] }];
    const named = random.chance(0.5) ? { saleId: fresh(scene, random, 'made') } : {};
    const { saleId: _, ...others } = objectOf(value);
    return { value: { ...others, ...named, opensAt: iso(nowMs - hourMs), closesAt: iso(nowMs + 3 * hourMs), items } };
  },
  // A sale that is closed sells nothing more to anybody: most changes leave it open.
  changeSale: (_, { sale, random }) => ({
    params: { saleId: sale.saleId },
    value: random.pick<object>([
      { state: 'open' },
      { state: 'open' },
      { state: 'open' },
      { state: 'open', closesAt: iso(Date.now() + 5 * hourMs) },
      { opensAt: iso(Date.now() - 2 * hourMs) },
      random.chance(0.3) ? { state: 'paused' } : {},
      random.chance(0.1) ? { state: 'closed' } : { perBuyerLimit: 1 + random.int(20) },
    ]),
  }),
  createProduct: ({ value }, { scene, random }) => ({ value: { ...objectOf(value), sku: fresh(scene, random, 'made') } }),
  replaceProduct: ({ value }, { part, random }) => {
    const { sku: _, ...others } = objectOf(value);
    return { params: { sku: spareOf(part, random) }, value: others };
  },
  deleteProduct: (_, { part, random }) => ({ params: { sku: spareOf(part, random) } }),
  importProducts: ({ value }, { part, scene, random }) => {
    const { items } = value as { items: object[] };
    return {
      value: { items: items.map((each) => ({ ...each, sku: random.pick([spareOf(part, random), fresh(scene, random, 'made')]) })) },
    };
  },
  createUser: ({ value }, { scene, random }) => ({ value: { ...objectOf(value), userId: fresh(scene, random, 'user') } }),
  creditUser: (_, { random }) => ({ value: { amountMinor: 1 + random.int(10_000) } }),
  takePaymentWebhook: ({ value }, { part, random }) => {
    const order = part.orders[random.int(part.orders.length)];
    const { type } = objectOf(value);
    const paymentId = `pay_${randomUUID()}`;
    if (!order) return {};
    const isRight = random.chance(0.7);
    const data = { paymentId, orderId: order.orderId, amountMinor: isRight ? order.totalMinor : 1, currency: order.currency };
    return { value: { type, data } };
  },
  reconcile: ({ value }, { sale, random }) => ({ value: random.chance(0.97) ? { saleId: sale.saleId } : value }),
};

/** The sketch with sense in it, where the schemas alone would hardly ever hit on something that succeeds. */
export function sensible(sketch: Sketch, part: Part, scene: Scene, random: Random): Sketch {
  const sale = random.pick(part.sales);
  return { ...sketch, ...senses[sketch.operationId]?.(sketch, { part, scene, sale, random }) };
}
