import { type Product, salesBeforePruning, salesPerProductMax } from '../catalogue/product.model.ts';
import { enterSaleWrite } from '../catalogue/product.writes.ts';
import type { Clock } from '../shared/clock.ts';
import type { TransactOutcome, Write } from '../shared/dynamo.ts';
import { type Idempotency, type KeyedRequest, onceByKey, type StoredAnswer } from '../shared/idempotency.ts';
import type { OutboxTarget } from '../shared/outbox.ts';
import { again } from '../shared/retry.ts';
import { isSharded } from '../stock/shards.model.ts';
import { newSaleAnswer } from './sale.answer.ts';
import { hasClosed, type Sale, type SeatList } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { NewSale } from './sale.schemas.ts';
import { createSaleWrite, putSeatsWrite, saleOutboxWrite } from './sale.writes.ts';
import { type SaleOutboxRow, saleSubject } from './sale-outbox.model.ts';
import { packSeats } from './seat.model.ts';
import type { SeatRepository } from './seat.repository.ts';

export interface CreateSalePorts {
  readonly products: { getMany(skus: readonly string[]): Promise<Product[]> };
  readonly sales: Pick<SaleRepository, 'getMany' | 'loading' | 'markFirstLoad' | 'bumpEpoch'>;
  readonly seats: Pick<SeatRepository, 'list'>;
  readonly stock: Pick<SaleStock, 'load'>;
  /** Notes which Redis is about to have the sale. */
  readonly noteRedis: (sale: Sale) => Promise<void>;
  readonly idempotency: Idempotency;
  readonly transact: (writes: Write[]) => Promise<TransactOutcome>;
  readonly tables: { readonly products: string; readonly sales: string; readonly seats: string; readonly outbox: OutboxTarget };
  readonly clock: Clock;
  readonly newId: () => string;
}

export type CreateSaleOutcome =
  | { outcome: 'created' | 'replayed'; saleId: string; answer: StoredAnswer }
  | { outcome: 'key-reused' }
  | { outcome: 'already-exists'; saleId: string }
  | { outcome: 'unknown-products'; skus: string[] }
  | { outcome: 'mixed-currencies'; currencies: string[] }
  | { outcome: 'in-too-many-sales'; sku: string };

/** Who creates a sale, and under which key. */
export interface NewSaleRequest extends KeyedRequest {
  readonly by: string;
}

/**
 * Creates a sale with the products' names and prices frozen, and loads its stock. The sale, its claim on its products and the key's
 * first answer are one transaction; the stock follows. A repeat with the same key gives the first answer, and loads the stock if
 * the first attempt did not come to it.
 */
export async function createSale(body: NewSale, request: NewSaleRequest, ports: CreateSalePorts): Promise<CreateSaleOutcome> {
  const outcome = await onceByKey<CreateSaleOutcome>(request, ports, {
    replay: (answer) => ({ outcome: 'replayed', saleId: (JSON.parse(answer.body) as { saleId: string }).saleId, answer }),
    attempt: () => tryToCreate(body, request, ports),
  });
  // After the transaction: stock without a sale would be sold from without a price.
  if (outcome.outcome === 'created' || outcome.outcome === 'replayed') await loadOnce(outcome.saleId, outcome.outcome, ports);
  return outcome;
}

async function tryToCreate(body: NewSale, request: NewSaleRequest, ports: CreateSalePorts): Promise<CreateSaleOutcome | typeof again> {
  const products = new Map((await ports.products.getMany(body.items.map(({ sku }) => sku))).map((product) => [product.sku, product]));
  const unknown = body.items.map(({ sku }) => sku).filter((sku) => !products.has(sku));
  if (unknown.length > 0) return { outcome: 'unknown-products', skus: unknown };
  const currencies = [...new Set([...products.values()].map(({ currency }) => currency))];
  const [currency] = currencies;
  if (currency === undefined || currencies.length > 1) return { outcome: 'mixed-currencies', currencies };

  const nowMs = ports.clock.nowMs();
  const saleId = body.saleId ?? ports.newId();
  const chunks = packSeats(saleId, seatsOf(body));
  const sale = saleFrom({ saleId, body, seatChunks: chunks.length }, products, currency, nowMs);
  const entries = await saleListsOf([...products.values()], sale.saleId, nowMs, ports);
  const crowded = entries.find(({ saleIds }) => saleIds.length > salesPerProductMax);
  if (crowded) return { outcome: 'in-too-many-sales', sku: crowded.product.sku };

  const answer: StoredAnswer = { status: 201, body: JSON.stringify(newSaleAnswer(sale, nowMs)) };
  const settled = await ports.transact([
    ports.idempotency.remember(request, answer, nowMs),
    createSaleWrite(sale, ports.tables.sales),
    ...chunks.map((chunk) => putSeatsWrite(chunk, ports.tables.seats)),
    ...entries.map(({ product, saleIds }) => enterSaleWrite(product, saleIds, ports.newId(), ports.tables.products)),
    saleOutboxWrite(createdRow(sale, request.by), ports.tables.outbox),
  ]);
  if (settled.outcome === 'committed') return { outcome: 'created', saleId: sale.saleId, answer };
  const [keyIndex, saleIndex] = [0, 1];
  const refusedAt = new Set(settled.refusals.map(({ index }) => index));
  // The key first: if this very request was done by a twin of it, the sale exists because of that.
  if (refusedAt.has(keyIndex)) return again;
  if (refusedAt.has(saleIndex)) return { outcome: 'already-exists', saleId: sale.saleId };
  return again;
}

function saleFrom(
  { saleId, body, seatChunks }: { readonly saleId: string; readonly body: NewSale; readonly seatChunks: number },
  products: ReadonlyMap<string, Product>,
  currency: string,
  nowMs: number,
): Sale {
  return {
    saleId,
    name: body.name,
    opensAtMs: body.opensAt,
    closesAtMs: body.closesAt,
    strategy: body.strategy,
    holdSeconds: body.holdSeconds,
    ...(body.perBuyerLimit === undefined ? {} : { perBuyerLimit: body.perBuyerLimit }),
    control: 'open',
    version: 1,
    epoch: 1,
    currency,
    items: body.items.flatMap(({ sku, units, seats }) => {
      const product = products.get(sku);
      const total = seats?.length ?? units ?? 0;
      return product ? [{ sku, name: product.name, priceMinor: product.priceMinor, currency, total, seated: seats !== undefined }] : [];
    }),
    ...(seatChunks > 0 ? { seatChunks } : {}),
    ...(isSharded(body) ? { shards: body.shards } : {}),
    createdAtMs: nowMs,
  };
}

/** The outbox row of a new sale: what comes on sale with it. */
function createdRow({ saleId, version, items, createdAtMs }: Sale, by: string): SaleOutboxRow {
  const data = { by, items: items.map(({ sku, total, seated }) => ({ sku, total, seated })) };
  const events: SaleOutboxRow['events'] = [{ name: 'SaleCreated', data }];
  return { subject: saleSubject(saleId), version, saleId, by, changes: {}, events, atMs: createdAtMs };
}

const seatsOf = ({ items }: NewSale): SeatList => new Map(items.flatMap(({ sku, seats }) => (seats ? [[sku, seats]] : [])));

/** Each product's sales with the new one; closed ones are dropped where the list has grown long. */
async function saleListsOf(products: readonly Product[], saleId: string, nowMs: number, { sales }: CreateSalePorts) {
  const crowded = new Set(products.filter(({ saleIds }) => saleIds.length > salesBeforePruning).flatMap(({ saleIds }) => saleIds));
  const closed = new Set((await sales.getMany([...crowded])).filter((sale) => hasClosed(sale, nowMs)).map((sale) => sale.saleId));
  return products.map((product) => ({ product, saleIds: [...product.saleIds.filter((id) => !closed.has(id)), saleId] }));
}

/**
 * Loads the stock of a sale whose stock was never loaded. Only then: if Redis lost what it had, loading the sale as if nothing were
 * sold would hand out sold units. So the sale is marked as loaded right before its load is published, by one attempt ever, and only if no
 * other load of it has begun. Whatever goes wrong after that is left to a rebuild, which whoever misses the sale asks for.
 */
async function loadOnce(saleId: string, attempt: 'created' | 'replayed', ports: CreateSalePorts): Promise<void> {
  const { sales, seats, stock, noteRedis } = ports;
  const found = await sales.loading(saleId);
  if (!found || found.stockLoaded) return;
  // Each load has an epoch of its own. The sale's first is its creator's, who may still be at it when the key is repeated.
  const epoch = attempt === 'created' ? found.sale.epoch : await sales.bumpEpoch(found.sale);
  if (epoch === undefined) return;
  const sale = { ...found.sale, epoch };
  await stock.load(sale, await seats.list(sale), async () => {
    await noteRedis(sale);
    return sales.markFirstLoad(sale);
  });
}
