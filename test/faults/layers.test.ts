import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimRepository } from '../../functions/orders/claim.repository.ts';
import type { PlaceOutcome, PlacePorts } from '../../functions/orders/place.ts';
import type { Database, Write } from '../../functions/shared/dynamo.ts';
import { Gate } from '../../lib/client/bounded.ts';
import { writtenTables } from '../support/database.ts';
import { type Engine, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const units = 10;
const buyers = 40;
const attemptsMax = 40;

/** The layer in Redis taken away: before each reserve it forgets all that it has ever given out, so everybody is offered the first units. */
function withoutRedis(saleId: string): Partial<PlacePorts> {
  const oneAtATime = new Gate(1);
  return {
    stock: {
      ...engine.stock,
      reserve: (request) =>
        oneAtATime.run(async () => {
          await engine.redis.hset(`{${saleId}}:sale`, 'i:tee', `c|${units}|1|0`);
          return engine.stock.reserve(request);
        }),
    },
  };
}

/** The bare row of a write, whatever it asks for. */
function withoutConditions(write: Write): Write {
  return write.Put ? { Put: { TableName: write.Put.TableName, Item: write.Put.Item } } : write;
}

/** The layer in DynamoDB taken away: rows are put whatever is there already. */
function withoutRows(): Partial<PlacePorts> {
  const transactWrite: Database['transactWrite'] = ({ TransactItems = [], ...input }, options) =>
    engine.database.transactWrite({ ...input, TransactItems: TransactItems.map(withoutConditions) }, options);
  const careless: Database = Object.create(engine.database, { transactWrite: { value: transactWrite } });
  return { claims: claimRepository(careless, writtenTables) };
}

async function buyPatiently(saleId: string, buyerId: string, ports: PlacePorts): Promise<PlaceOutcome> {
  for (let attempt = 1; ; attempt++) {
    const placed = await engine.place(saleId, buyerId, { ports });
    if (placed.outcome !== 'try-again' || attempt === attemptsMax) return placed;
  }
}

/** The units that a crowd was told it has bought, over all its orders. */
async function soldTo(saleId: string, without: Partial<PlacePorts>): Promise<string[]> {
  await engine.openSale(saleId, units);
  const ports = { ...engine.placePorts, ...without };
  const placed = await Promise.all(Array.from({ length: buyers }, (_, n) => buyPatiently(saleId, `buyer-${n}`, ports)));
  return placed.flatMap((each) => ('order' in each ? each.order.items.flatMap((line) => line.units) : []));
}

describe('the two layers that keep a unit from being sold twice', () => {
  it('hold together: as many are sold as there are, each once', async () => {
    const sold = await soldTo('both', {});
    expect(sold).toHaveLength(units);
    expect(new Set(sold).size).toBe(units);
  });

  it('without Redis the rows alone hold: each unit has one order', async () => {
    const sold = await soldTo('rows-alone', withoutRedis('rows-alone'));
    expect(sold).toHaveLength(units);
    expect(new Set(sold).size).toBe(units);
  });

  it('without the rows’ conditions Redis alone holds: each unit has one order', async () => {
    const sold = await soldTo('redis-alone', withoutRows());
    expect(sold).toHaveLength(units);
    expect(new Set(sold).size).toBe(units);
  });

  it('without both, units are sold twice: neither was there for show', async () => {
    const sold = await soldTo('neither', { ...withoutRedis('neither'), ...withoutRows() });
    expect(sold.length).toBeGreaterThan(new Set(sold).size);
  });
});
