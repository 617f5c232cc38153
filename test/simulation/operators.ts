import { operatorWho, type People, persistentMax, untilAnswered } from './actors.ts';
import { type Request, statusOf } from './history.ts';
import type { Action, Line } from './plan.ts';
import type { Random } from './random.ts';
import { saleId } from './world.ts';

const salePath = `/v1/sales/${saleId}`;

type OperatorAction = Extract<
  Action,
  { do: 'pause' | 'close' | 'call-off' | 'limit' | 'restock' | 'refund' | 'audit' | 'reconcile' | 'redrive' | 'sweep' | 'ask-rebuild' }
>;

/** What operators do. Whatever changes the sale they send until they are answered. */
export async function operate(action: OperatorAction, people: People, random: Random): Promise<void> {
  const { world, routing } = people;
  const { id } = action;
  const send = (request: Omit<Request, 'id' | 'who'>, attemptsMax = persistentMax, suffix = '') =>
    untilAnswered(world, { id: `${id}${suffix}`, who: operatorWho, ...request }, attemptsMax, random);
  const patch = (body: unknown, deed: string, suffix = '') => send({ deed, method: 'PATCH', path: salePath, body }, persistentMax, suffix);
  switch (action.do) {
    case 'pause': {
      const paused = await patch({ state: 'paused' }, 'pause');
      if (statusOf(paused) === 200) world.answers.paused(paused);
      await world.machine.sleep(action.forMs);
      world.answers.reopens();
      await patch({ state: 'open' }, 'open', '-open');
      world.answers.reopened();
      return;
    }
    case 'close':
      return void (await patch({ state: 'closed' }, 'close'));
    case 'limit':
      return void (await patch({ perBuyerLimit: action.to }, 'limit'));
    case 'call-off':
      return void (await send({
        deed: 'call-off',
        method: 'POST',
        path: `${salePath}/cancel`,
        key: `key-${id}`,
        body: { reason: 'rain' },
      }));
    case 'restock':
      return restock(action, people, random);
    case 'refund': {
      const order = people.placed.get(action.of)?.order;
      if (!order) return;
      const body = { reason: 'asked for', returnUnits: action.returnUnits };
      return void (await send({ deed: 'refund', method: 'POST', path: `/v1/orders/${order.orderId}/refund`, key: `key-${id}`, body }, 6));
    }
    case 'audit':
      return void (await send({ deed: 'audit', method: 'GET', path: `${salePath}/audit` }, 1));
    case 'reconcile':
      if (world.plan.isReconcilerOff) return;
      return void (await send({ deed: 'reconcile', method: 'POST', path: '/v1/reconciliations', body: { saleId } }, 1));
    case 'redrive':
      return void (await send({ deed: 'redrive', method: 'POST', path: '/v1/dead-letters/redrive', body: {} }, 2));
    case 'sweep':
      return routing.runNow('sweeper');
    case 'ask-rebuild':
      return askForRebuild(people);
  }
}

const deliveryOf = ({ sku, quantity, seats }: Line) => (seats ? { sku, seats } : { sku, units: quantity });

/** The same key again, after an answer as after none: nothing is added twice. */
async function restock({ id, line, twice }: Extract<Action, { do: 'restock' }>, { world }: People, random: Random): Promise<void> {
  const body = { ...deliveryOf(line), reason: 'a pallet was found' };
  const request: Request = { id, deed: 'restock', method: 'POST', path: `${salePath}/restock`, who: operatorWho, key: `key-${id}`, body };
  await untilAnswered(world, request, persistentMax, random);
  if (!twice) return;
  await world.machine.sleep(random.int(10_000));
  await untilAnswered(world, { ...request, id: `${id}-again` }, 3, random);
}

/** Somebody asks for a rebuild of a sale that may be there all the same: what Redis has must survive it. */
function askForRebuild({ world }: People): void {
  const consumer = world.deployment.consumers.find(({ functionName }) => functionName === 'stock/rebuild');
  const queue = world.deployment.queues.find(({ name }) => name === consumer?.queueName);
  if (queue) world.machine.queues.send(queue.url, JSON.stringify({ saleId }));
  world.history.tell('somebody asks for a rebuild');
}
