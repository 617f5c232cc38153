import { describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import * as scripts from '../../functions/stock/cart.definitions.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { buyerAt, seatsOf, some } from './cart.harness.ts';
import { expectConserved, openHall, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();

describe('a wrong call about a cart', () => {
  it('is refused by every script for one key or argument too few or too many', async () => {
    const { saleId } = await openSale(bench);
    const before = await bench.redis.dumpBuffer(stockKeys(saleId).sale);
    for (const [name, { text, arity }] of Object.entries(scripts)) {
      const keys = Array.from({ length: arity.keys }, () => stockKeys(saleId).sale);
      const args = Array.from({ length: arity.args }, () => '1');
      const wrong: [string[], string[]][] = [
        [keys.slice(1), args],
        [[...keys, ...keys.slice(0, 1)], args],
        [keys, args.slice(1)],
        [keys, [...args, '1']],
      ];
      for (const [k, a] of wrong) {
        await expect(bench.redis.eval(text, k.length, ...k, ...a), `${name} ${k.length} ${a.length}`).rejects.toThrow(
          /^BAD_CALL stock\.cart-/,
        );
      }
    }
    expect(await bench.redis.dumpBuffer(stockKeys(saleId).sale)).toEqual(before);
  });

  it.each([0, -1, 1.5, 21, 1e9, Number.NaN, Number.POSITIVE_INFINITY, '', ' 1', '0x10', '1e1', '+1', '１'])(
    'moves no stock for the quantity %j',
    async (wrong) => {
      const { saleId } = await openSale(bench, { perBuyerLimit: 20 });
      const ada = buyerAt(bench, saleId, 'ada');
      await ada.set(some(1));
      await expect(ada.set(some(wrong as number))).rejects.toThrow(BadCall);
      expect((await expectConserved(bench, saleId, 20)).items.tee?.available).toBe(9);
    },
  );

  it('moves no stock for seats, items and ids that could break a record', async () => {
    const { saleId } = await openHall(bench, ['A-1']);
    const wrongSeats = [seatsOf(), seatsOf('A-1', 'A-1'), seatsOf('A|1'), seatsOf(...Array.from({ length: 21 }, (_, n) => `S-${n}`))];
    for (const line of wrongSeats) await expect(buyerAt(bench, saleId, 'ada').set(line)).rejects.toThrow(BadCall);
    for (const sku of ['', 'a|b', 'a=1', '*']) await expect(buyerAt(bench, saleId, 'ada').set(some(1, sku))).rejects.toThrow(BadCall);
    for (const buyerId of ['', 'a|b']) await expect(buyerAt(bench, saleId, buyerId).set(seatsOf('A-1'))).rejects.toThrow(BadCall);
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(seatsOf('A-1'));
    for (const holdId of ['', 'a|b', '?', ada.cartId]) await expect(ada.checkout(holdId)).rejects.toThrow(BadCall);
    await expect(ada.checkout('order-1', 'a|b')).rejects.toThrow(BadCall);
    await expect(ada.returned({ holdId: 'order-1', bornUs: -1 })).rejects.toThrow(BadCall);
    await expectConserved(bench, saleId);
  });
});
