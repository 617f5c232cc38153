import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tables } from '../../../functions/shared/tables.ts';
import { type Engine, startEngine } from '../../support/engine.ts';
import { orderOf } from '../../support/orders.ts';
import { dynamoModel } from './model.ts';
import { twin } from './twin.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());

describe('the model of DynamoDB, beside a server that serves the use cases of orders', () => {
  it('gives the same answer to each of their calls', async () => {
    const model = dynamoModel({ tables, nowMs: Date.now, random: Math.random, indexLagMsMax: 0 });
    const { sent, differences } = twin(engine.database, model).follow();
    const sale = await engine.openSale(randomUUID(), 6, { perBuyerLimit: 2 });
    const { saleId } = sale;
    for (const buyer of ['ada', 'bob', 'eve']) await engine.fund(buyer, 20_000);

    const first = orderOf(await engine.place(saleId, 'ada', { quantity: 2 }));
    await engine.place(saleId, 'ada', { quantity: 2 });
    await engine.place(saleId, 'ada', { key: 'too many', quantity: 2 });
    // Redis forgets what it handed out: units collide, and the loser is shown whose they are.
    const forget = await engine.snapshot();
    await engine.place(saleId, 'bob', { quantity: 2 });
    await forget();
    await engine.place(saleId, 'eve', { quantity: 1 });
    await engine.place(saleId, 'pat', { quantity: 1, method: 'external' });
    await engine.sweep({ laterMs: 60_000 });
    await engine.refund(first.orderId, { returnUnits: true });
    await engine.refund(first.orderId, { returnUnits: true });
    const last = await engine.place(saleId, 'zoe', { quantity: 1, method: 'external' });
    if ('order' in last) await engine.cancel(last.order);
    for (const laterMs of [120_000, 3_600_000]) await engine.sweep({ laterMs });
    await engine.owed(saleId);
    await engine.unitRows(saleId);

    expect(differences).toEqual([]);
    expect(sent.length).toBeGreaterThan(100);
    expect(new Set(sent.map(({ operation }) => operation))).toEqual(new Set(['Put', 'Get', 'Query', 'BatchGet', 'TransactWrite']));
  });
});
