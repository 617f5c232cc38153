import { buyerOf, maySendAgain, type People, untilAnswered } from './actors.ts';
import { problemOf, type Request, statusOf } from './history.ts';
import { rowsOf, type SaleRow } from './rows.ts';
import { openAccount } from './setup.ts';
import { saleId, type World } from './world.ts';

const unitsPerOrderMax = 20;
const attemptsMax = 4;
const waitMs = 180_000;
const ordersPath = `/v1/sales/${saleId}/orders`;

/** Once all rests: whoever asks for what is left gets it, all of it, and then it is sold out. -> whether the sale still sold */
export async function drain({ world }: People): Promise<boolean> {
  const { sale } = rowsOf(world.machine.database, saleId);
  // Without events an order whose hold is short ends before the sweeper charges it: it ends, which is all that is promised then.
  if (sale?.control !== 'open' || world.plan.isBusOff) return false;
  world.history.tell('everything that is left is bought');
  let buyers = 0;
  for (const { sku } of sale.items) {
    for (let left = leftOf(world, sku); left.length > 0; left = left.slice(sizeOf(sale, left))) {
      await buy(world, `shopper-${++buyers}`, sku, left.slice(0, sizeOf(sale, left)));
      if (!world.findings.isEmpty) return true;
    }
  }
  await untilOwned(world);
  await probe(world, sale, `shopper-${++buyers}`);
  return true;
}

/**
 * Every key once more, when nothing fails any more: whoever had an order gets the same answer (see answers.ts), and whoever had none, also by a
 * tombstone, an answer that is one. -> whether there is an order more
 */
export async function repeatAll({ world, placed }: People): Promise<boolean> {
  const before = rowsOf(world.machine.database, saleId).orders.length;
  world.history.tell('every key comes again');
  for (const [of, { buyer, key, body }] of placed) {
    const id = `repeat-${of}`;
    const request: Request = { id, deed: 'place', method: 'POST', path: ordersPath, who: buyerOf(buyer), key, body };
    const exchange = await untilAnswered(world, request, attemptsMax, world.machine.random.fork(id));
    if (maySendAgain(exchange))
      world.findings.add('answers', `${id}: nothing fails any more, and it gets ${problemOf(exchange).code ?? 'silence'}`);
    if (!world.findings.isEmpty) break;
  }
  return rowsOf(world.machine.database, saleId).orders.length > before;
}

const sizeOf = ({ perBuyerLimit = unitsPerOrderMax }: SaleRow, left: readonly string[]): number =>
  Math.min(perBuyerLimit, unitsPerOrderMax, left.length);

/** Units of an item that nobody has: their names, or as many serials. */
function leftOf({ machine }: World, sku: string): string[] {
  const { sale, units, seats } = rowsOf(machine.database, saleId);
  const owned = new Set(units.filter((row) => row.sku === sku).map(({ unit }) => unit));
  const item = sale?.items.find((each) => each.sku === sku);
  const all = item?.seated ? [...(seats.get(sku) ?? [])] : Array.from({ length: item?.total ?? 0 }, (_, index) => String(index + 1));
  return all.filter((unit) => !owned.has(unit));
}

const isSeated = (world: World, sku: string): boolean => world.plan.items.some((item) => item.sku === sku && item.seats !== undefined);

async function buy(world: World, buyer: string, sku: string, units: readonly string[]): Promise<void> {
  await openAccount(world, buyer, 100_000);
  const line = isSeated(world, sku) ? { sku, seats: units } : { sku, quantity: units.length };
  const exchange = await place(world, buyer, line);
  if (statusOf(exchange) !== 201) {
    const { code, available } = problemOf(exchange);
    const what = `${buyer} asked for ${units.length} of ${sku}, which nobody has, and was answered ${statusOf(exchange)} ${code} (available ${available})`;
    world.findings.add('4 stock is conserved', what);
  }
}

function place(world: World, buyer: string, line: object) {
  const id = `drain-${buyer}`;
  const body = { items: [line], payment: { method: 'balance' } };
  const request: Request = {
    id,
    deed: 'place',
    method: 'POST',
    path: ordersPath,
    who: buyerOf(buyer),
    key: `key-${id}`,
    body,
  };
  return untilAnswered(world, request, attemptsMax, world.machine.random.fork(id));
}

/** Orders that are charged first get their units a moment later. */
async function untilOwned(world: World): Promise<void> {
  const untilMs = world.machine.nowMs() + waitMs;
  const isLeft = () => world.plan.items.some(({ sku }) => leftOf(world, sku).length > 0);
  while (isLeft() && world.machine.nowMs() < untilMs) {
    await world.machine.sleep(2_000);
  }
  for (const { sku } of world.plan.items) {
    const left = leftOf(world, sku);
    if (left.length > 0)
      world.findings.add('4 stock is conserved', `${sku} was bought to the last unit, and ${left.join(', ')} are nobody’s`);
  }
}

/** One more: there is nothing left for anybody. */
async function probe(world: World, sale: SaleRow, buyer: string): Promise<void> {
  const item = sale.items.find(({ seated }) => !seated);
  if (!item || !world.findings.isEmpty) return;
  const exchange = await place(world, buyer, { sku: item.sku, quantity: 1 });
  const { code } = problemOf(exchange);
  if (code !== 'SOLD_OUT')
    world.findings.add('1 never oversold', `all of ${item.sku} is sold, and ${buyer} was answered ${statusOf(exchange)} ${code ?? ''}`);
}
