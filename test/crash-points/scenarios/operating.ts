import { buyerOf, operatorWho } from '../../simulation/actors.ts';
import { statusOf } from '../../simulation/history.ts';
import type { Scenario } from '../scenario.ts';
import { endsAs, sells } from './expect.ts';
import { hallItem, seats, teeItem, tees } from './lines.ts';

// What operators do before, during and after a sale.

const currency = 'EUR';
const salePath = '/v1/sales/sale';

export const opening: Scenario = {
  name: 'opening',
  opensItself: true,
  plan: { perBuyerLimit: 5, items: [teeItem(8), hallItem('A-1', 'A-2')], balances: {} },
  async play(stage) {
    const { machine } = stage;
    const at = (ms: number) => new Date(machine.nowMs() + ms).toISOString();
    const product = (sku: string, priceMinor: number) => ({ sku, name: sku, priceMinor, currency });
    const get = (id: string, path: string, query = '') => stage.ask(id, { method: 'GET', path, query });
    await stage.ask('import', {
      method: 'POST',
      path: '/v1/products/bulk',
      body: { items: [product('tee', 1_500), product('hall', 700)] },
    });
    await stage.ask('mug', { method: 'POST', path: '/v1/products', body: product('mug', 300) });
    await stage.ask('mug-2', { method: 'PUT', path: '/v1/products/mug', body: { name: 'Mug', priceMinor: 400, currency } });
    await get('products', '/v1/products');
    await get('product', '/v1/products/mug');
    await stage.ask('mug-3', { method: 'DELETE', path: '/v1/products/mug' });
    await stage.ask('user', { method: 'POST', path: '/v1/users', body: { userId: 'ada', balanceMinor: 10_000, currency } });
    await stage.ask('credit', { method: 'POST', path: '/v1/users/ada/credits', key: 'credit', body: { amountMinor: 500 } });
    await get('reads-user', '/v1/users/ada');
    await stage.ask('me', { method: 'GET', path: '/v1/me', who: buyerOf('ada') });
    const sale = { saleId: 'sale', name: 'The sale', holdSeconds: 900, perBuyerLimit: 5, opensAt: at(-1_000), closesAt: at(86_400_000) };
    const body = {
      ...sale,
      items: [
        { sku: 'tee', units: 8 },
        { sku: 'hall', seats: ['A-1', 'A-2'] },
      ],
    };
    const made = await stage.ask('sale', { method: 'POST', path: '/v1/sales', key: 'sale', body });
    if (statusOf(made) !== 201) stage.broken.push(`the sale was answered with ${statusOf(made)}`);
    await get('sales', '/v1/sales');
    await get('seats', `${salePath}/seats`, 'sku=hall');
    for (const path of ['/v1/health', '/v1/openapi.json', '/docs', '/v1/nowhere']) await get(path, path);
    await stage.place('first', 'ada', [tees(), seats('A-1')]);
    await stage.untilStatus('first', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { first: ['FULFILLED'] });
    const totals = end.rows.sale?.items.map(({ sku, total }) => `${sku} ${total}`).join(', ');
    if (totals !== 'tee 8, hall 2') yield `the sale has ${totals}`;
    const [account] = end.rows.accounts;
    if (account?.balanceMinor !== 10_000 + 500 - 1_500 - 700) yield `ada has ${account?.balanceMinor}`;
    const products = end.stage.machine.database.items('products').map(({ sku }) => String(sku));
    if (products.toSorted().join(', ') !== 'hall, tee') yield `the catalogue has ${products.join(', ')}`;
  },
};

export const operated: Scenario = {
  name: 'operated',
  plan: { perBuyerLimit: 5, items: [teeItem(3), hallItem('A-1')] },
  async play(stage) {
    await stage.place('before', 'ada', [tees(3)], { method: 'external' });
    await stage.act('pause', { do: 'pause', forMs: 3_000 });
    await stage.act('limit', { do: 'limit', to: 4 });
    await stage.act('restock', { do: 'restock', line: tees(4), twice: true });
    await stage.act('restock-seats', { do: 'restock', line: seats('B-1', 'B-2'), twice: true });
    await stage.place('after', 'bob', [tees(2), seats('B-1')]);
    await stage.untilStatus('after', 'FULFILLED');
    await stage.act('audit', { do: 'audit' });
    await stage.act('orders', { do: 'look', buyer: 'ada', at: 'all-orders' });
    await stage.ask('window', {
      method: 'PATCH',
      path: salePath,
      body: { closesAt: new Date(stage.machine.nowMs() + 7_200_000).toISOString() },
    });
    await stage.act('close', { do: 'close' });
    await stage.place('closed', 'cleo', [tees()], { attemptsMax: 3 });
    await stage.pay('pay', 'before', 'right');
    await stage.untilStatus('before', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { before: ['FULFILLED'], after: ['FULFILLED'], closed: ['not there'] });
    const { sale } = end.rows;
    const totals = sale?.items.map(({ sku, total }) => `${sku} ${total}`).join(', ');
    if (totals !== 'tee 7, hall 3') yield `the sale has ${totals}`;
    if (sale?.control !== 'closed' || sale.perBuyerLimit !== 4)
      yield `the sale is ${sale?.control}, with a limit of ${sale?.perBuyerLimit}`;
  },
};

export const prewarmed: Scenario = {
  name: 'prewarmed',
  plan: { items: [teeItem(3)] },
  async play(stage) {
    const { capacity } = stage.machine;
    const minutes = (count: number) => new Date(stage.machine.nowMs() + count * 60_000).toISOString();
    const patch = (id: string, body: object) => stage.ask(id, { method: 'PATCH', path: salePath, body });
    const ready = () => [...capacity.provisioned.values()].reduce((sum, count) => sum + count, 0);
    await stage.until('environments and tables are ready for the open sale', () => ready() === 10 && capacity.writeUnits.size === 6);
    await patch('later', { opensAt: minutes(22), closesAt: minutes(600) });
    await stage.until('environments are given back until it opens again', () => ready() === 0);
    await stage.until('and are there before it does', () => ready() === 10);
    await patch('sooner', { closesAt: minutes(120) });
    await stage.until('a schedule stands for its end', () =>
      capacity.schedules.some(({ atMs }) => atMs < stage.machine.nowMs() + 150 * 60_000),
    );
    await stage.act('close', { do: 'close' });
    await stage.until('a closed sale has nothing', () => ready() === 0 && capacity.schedules.length === 0);
  },
  *broken({ stage }) {
    const { provisioned, schedules, writeUnits } = stage.machine.capacity;
    if (provisioned.size > 0 || schedules.length > 0) yield `${provisioned.size} environments and ${schedules.length} schedules are left`;
    if (![...writeUnits.values()].every((units) => units === 8_000)) yield `the tables have ${[...writeUnits]}`;
  },
};

export const calledOff: Scenario = {
  name: 'called-off',
  // Long enough for a consumer that dies, whose message comes back after three minutes.
  plan: { holdSeconds: 240, perBuyerLimit: 4, items: [teeItem(9), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await stage.place('fulfilled', 'ada', [tees(2), seats('A-1')]);
    await stage.untilStatus('fulfilled', 'FULFILLED');
    await stage.place('held', 'bob', [tees(2)], { method: 'external' });
    await stage.act('cart', { do: 'cart', buyer: 'cleo', line: tees(2) });
    await stage.place('racing', 'dan', [tees()]);
    await stage.act('call-off', { do: 'call-off' });
    await stage.untilStatus('fulfilled', 'REFUNDED');
    await stage.untilStatus('held', 'CANCELLED');
    await stage.untilStatus('racing', 'CANCELLED', 'REFUNDED');
    await stage.ask('audit', { deed: 'audit', method: 'GET', path: `${salePath}/audit`, who: operatorWho });
  },
  *broken(end) {
    yield* endsAs(end, { fulfilled: ['REFUNDED'], held: ['CANCELLED'], racing: ['CANCELLED', 'REFUNDED'] });
    yield* sells(end, 'tee', 0);
    if (end.rows.sale?.control !== 'closed') yield `the sale is ${end.rows.sale?.control}`;
  },
};
