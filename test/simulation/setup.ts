import { buyerOf, operatorWho, persistentMax, untilAnswered } from './actors.ts';
import { type Request, statusOf } from './history.ts';
import { currency, saleId, type World } from './world.ts';

const dayMs = 86_400_000;

/** Makes products, accounts and the sale, over the API, before anything fails. Throws when that is refused. */
export async function openSale(world: World): Promise<void> {
  const { plan, machine } = world;
  const { items, balances, strategy, holdSeconds, perBuyerLimit, shards } = plan;
  const products = items.map(({ sku, priceMinor }) => ({ sku, name: sku, priceMinor, currency }));
  await post(world, 'products', '/v1/products/bulk', { items: products });
  await Promise.all(
    Object.entries(balances).map(([userId, balanceMinor]) =>
      balanceMinor === 'none' ? undefined : openAccount(world, userId, balanceMinor),
    ),
  );
  await post(world, 'sale', '/v1/sales', {
    ...{ saleId, name: 'The sale', strategy, holdSeconds },
    opensAt: new Date(machine.nowMs() - 1_000).toISOString(),
    closesAt: new Date(machine.nowMs() + dayMs).toISOString(),
    ...(perBuyerLimit === undefined ? {} : { perBuyerLimit }),
    ...(shards === undefined ? {} : { shards }),
    items: items.map(({ sku, units, seats }) => ({ sku, ...(seats ? { seats } : { units }) })),
  });
  await warmUp(world);
}

/** Somebody asks for what there is not: then Redis knows the script, and a fault at its first call strikes the script and not the question whether it is known. */
async function warmUp(world: World): Promise<void> {
  const path = `/v1/sales/${saleId}/orders`;
  const body = { items: [{ sku: 'no-such-item', quantity: 1 }] };
  await world.request({ id: 'warm-up', deed: 'place-badly', method: 'POST', path, who: buyerOf('early'), key: 'warm-up', body });
}

export const openAccount = (world: World, userId: string, balanceMinor: number): Promise<void> =>
  post(world, `account-${userId}`, '/v1/users', { userId, balanceMinor, currency });

async function post(world: World, id: string, path: string, body: unknown): Promise<void> {
  const request: Request = { id, deed: 'setup', method: 'POST', path, who: operatorWho, key: `setup-${id}`, body };
  const exchange = await untilAnswered(world, request, persistentMax, world.machine.random.fork(`setup/${id}`));
  const status = statusOf(exchange);
  if (status !== 200 && status !== 201) throw new Error(`${path} was answered with ${status}: ${JSON.stringify(exchange.reply)}`);
}
