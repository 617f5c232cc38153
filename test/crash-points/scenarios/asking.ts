import { buyerOf } from '../../simulation/actors.ts';
import type { Scenario } from '../scenario.ts';
import { endsAs } from './expect.ts';
import { teeItem } from './lines.ts';

const place = `mutation Buy($key: String!) {
  placeOrder(saleId: "sale", idempotencyKey: $key, items: [{sku: "tee", quantity: 2}], payment: {method: external}) { orderId status totalMinor currency }
}`;
const cancel = 'mutation Stop($orderId: String!) { cancelOrder(orderId: $orderId) { orderId status } }';
const reads = `{
  products { items { sku } } product(sku: "tee") { priceMinor } sales { items { saleId } } sale(saleId: "sale") { state items { available } }
}`;
const mine = '{ me { userId balanceMinor } orders(saleId: "sale") { items { orderId status } } }';

export const graphql: Scenario = {
  name: 'graphql',
  plan: { perBuyerLimit: 4, items: [teeItem(6)] },
  async play(stage) {
    const ada = buyerOf('ada');
    await stage.graphql('reads', ada, reads);
    await stage.placeByGraphql('bought', 'ada', place);
    await stage.placeByGraphql('stopped', 'bob', place);
    await stage.graphql('cancel', buyerOf('bob'), cancel, { orderId: stage.orderOf('stopped')?.orderId });
    await stage.pay('pay', 'bought', 'right');
    await stage.untilStatus('bought', 'FULFILLED');
    await stage.graphql('order', ada, 'query One($id: String!) { order(orderId: $id) { status version } }', {
      id: stage.orderOf('bought')?.orderId,
    });
    await stage.graphql('mine', ada, mine);
  },
  *broken(end) {
    yield* endsAs(end, { bought: ['FULFILLED'], stopped: ['CANCELLED'] });
  },
};
